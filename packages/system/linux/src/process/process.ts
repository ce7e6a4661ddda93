import { check, declareFunctions, ECHILD, errno } from '../libc.ts'

const c = declareFunctions<{
  prctl(option: number, a: number, b: number, c: number, d: number): number
  waitpid(pid: number, status: Int32Array, options: number): number
  kill(pid: number, signal: number): number
  pidfdOpen(number: number, pid: number, flags: number): number
  pidfdSendSignal(number: number, fd: number, signal: number, info: null, flags: number): number
}>({
  prctl: 'int prctl(int option, ulong a, ulong b, ulong c, ulong d)',
  waitpid: 'int waitpid(int pid, void *status, int options)',
  kill: 'int kill(int pid, int signal)',
  pidfdOpen: 'long syscall(long number, int pid, uint flags)',
  pidfdSendSignal: 'long syscall(long number, int fd, int signal, void *info, uint flags)',
})

const PR_SET_CHILD_SUBREAPER = 36
const WNOHANG = 1
const SYS_pidfd_send_signal = 424
const SYS_pidfd_open = 434

/** How a process ended: by exit (`signal` 0) or by a signal (`code` is then 128 + signal). */
export interface ExitStatus {
  readonly code: number
  readonly signal: number
  readonly coreDumped: boolean
}

/** wait(2)'s status word. */
export function parseExitStatus(status: number): ExitStatus {
  const signal = status & 0x7f
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: 0, coreDumped: false }
  return { code: 128 + signal, signal, coreDumped: (status & 0x80) !== 0 }
}

/** Makes orphaned descendants children of this process. */
export function setSubreaper(): void {
  check(c.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 'prctl')
}

const status = new Int32Array(1)

/** Reaps the child `pid` if it has ended: its status, 'running', or 'none' when it is no child (yet, or any more). */
export function waitPid(pid: number): ExitStatus | 'running' | 'none' {
  const result = c.waitpid(pid, status, WNOHANG)
  if (result === pid) return parseExitStatus(status[0] ?? 0)
  if (result < 0 && errno() === ECHILD) return 'none'
  check(result, 'waitpid')
  return 'running'
}

/** kill(2); false when there is no such process. A negative pid names a process group. Refuses 0 and -1: never everyone. */
export function killPid(pid: number, signal: number): boolean {
  if (pid === 0 || pid === -1) throw new RangeError(`no signal to pid ${pid}`)
  return delivered(c.kill(pid, signal), 'kill')
}

/** A descriptor that stands for the process and becomes readable at its end. ESRCH when it is gone. */
export function pidfdOpen(pid: number): number {
  return check(c.pidfdOpen(SYS_pidfd_open, pid, 0), 'pidfd_open')
}

/** False when the process has been reaped. */
export function pidfdSendSignal(pidfd: number, signal: number): boolean {
  return delivered(c.pidfdSendSignal(SYS_pidfd_send_signal, pidfd, signal, null, 0), 'pidfd_send_signal')
}

const ESRCH = 3

function delivered(result: number, syscall: string): boolean {
  if (result < 0 && errno() === ESRCH) return false
  check(result, syscall)
  return true
}
