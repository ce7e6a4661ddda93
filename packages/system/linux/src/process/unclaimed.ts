import { check, declareFunctions, ECHILD, errno } from '../libc.ts'
import { waitPid } from './process.ts'

const c = declareFunctions<{
  waitid(type: number, id: number, info: Uint8Array, options: number): number
}>({ waitid: 'int waitid(int type, uint id, void *info, int options)' })

const P_ALL = 0
const WNOHANG = 1
const WEXITED = 4
const WNOWAIT = 0x01000000
// siginfo_t of 64-bit Linux: si_pid follows three ints and their padding.
const siPidOffset = 16

const info = Buffer.alloc(128)

/** A child that has ended and was not reaped, or undefined; it stays one. */
function peekZombie(): number | undefined {
  info.fill(0)
  const result = c.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT)
  if (result < 0 && errno() === ECHILD) return undefined
  check(result, 'waitid')
  return info.readInt32LE(siPidOffset) || undefined
}

/**
 * Reaps children that have ended and that nobody claims, up to the first claimed one; returns how many. Only for a
 * process that starts no children by node:child_process, whose pids libuv claims. An unclaimed zombie must not be left:
 * a pid namespace's init cannot end before every zombie of the namespace is reaped.
 */
export function reapUnclaimed(isClaimed: (pid: number) => boolean): number {
  for (let reaped = 0; ; reaped++) {
    const pid = peekZombie()
    if (pid === undefined || isClaimed(pid)) return reaped
    waitPid(pid)
  }
}
