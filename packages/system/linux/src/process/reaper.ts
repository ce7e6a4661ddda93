import { readFileSync } from 'node:fs'
import { type ExitStatus, setSubreaper, waitPid } from './process.ts'

/**
 * Reaps registered processes beside libuv, which reaps those that node:child_process started: on SIGCHLD each registered
 * pid is asked for, never "any child" (a pid stolen from libuv would hang its ChildProcess for ever).
 *
 * As a subreaper this process also inherits orphans: the halves of double forks, and what a dead container left. A zombie
 * that nobody has claimed during a whole sweep period is nobody's and is reaped too.
 */
export class Reaper implements Disposable {
  readonly #waiting = new Map<number, (status: ExitStatus) => void>()
  readonly #onChild = () => this.#reap()
  readonly #timer: NodeJS.Timeout
  #unclaimed = new Set<number>()

  constructor(options: { readonly sweepMs?: number } = {}) {
    setSubreaper()
    process.on('SIGCHLD', this.#onChild)
    this.#timer = setInterval(() => this.sweepOrphans(), options.sweepMs ?? 5000)
    this.#timer.unref()
  }

  /** Registers a child, also one still to be inherited; resolves with its end. One waiter a pid. */
  exit(pid: number): Promise<ExitStatus> {
    if (this.#waiting.has(pid)) throw new Error(`pid ${pid} is already waited for`)
    const now = waitPid(pid)
    if (typeof now === 'object') return Promise.resolve(now)
    return new Promise((resolve) => this.#waiting.set(pid, resolve))
  }

  /** Whether somebody waits for `pid`. */
  has(pid: number): boolean {
    return this.#waiting.has(pid)
  }

  /** Gives a pid up: its promise never settles. For pids that turn out not to be ours. */
  forget(pid: number): void {
    this.#waiting.delete(pid)
  }

  /** Reaps the zombies that were already there, unclaimed, at the previous sweep. Returns how many. */
  sweepOrphans(): number {
    // A SIGCHLD that came while the loop was stopped (SIGSTOP, suspend) may have been merged with another.
    this.#reap()
    const zombies = unregisteredZombies(this.#waiting)
    const nobodys = zombies.filter((pid) => this.#unclaimed.has(pid))
    for (const pid of nobodys) waitPid(pid)
    this.#unclaimed = new Set(zombies.filter((pid) => !nobodys.includes(pid)))
    return nobodys.length
  }

  #reap(): void {
    for (const [pid, resolve] of this.#waiting) {
      const status = waitPid(pid)
      // 'none': a grandchild whose parent (crun's detached half) has not ended yet.
      if (typeof status !== 'object') continue
      this.#waiting.delete(pid)
      resolve(status)
    }
  }

  [Symbol.dispose](): void {
    process.off('SIGCHLD', this.#onChild)
    clearInterval(this.#timer)
  }
}

function unregisteredZombies(registered: ReadonlyMap<number, unknown>): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').split(' ').filter(Boolean)
  return children.map(Number).filter((pid) => !registered.has(pid) && isZombie(pid))
}

/** Whether a process has ended and waits to be reaped; false when it is gone. */
function isZombie(pid: number): boolean {
  try {
    // The state follows the command, which may itself hold parentheses: proc_pid_stat(5).
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return stat.charAt(stat.lastIndexOf(')') + 2) === 'Z'
  } catch {
    return false
  }
}
