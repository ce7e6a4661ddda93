import { killPid, removeFile } from '@berth/linux'
import type { ContainerId } from '@berth/base'
import type { RuntimeCall } from './launch.ts'
import type { ProcessPipe } from './process-pipe.ts'

/** How long a runtime waits for its process: an exec is started right after it was created, or by hand. */
const patienceMs = 1000

/** So many wait at most, each of some 3 MB. */
const maxWaiting = 16

/** An OCI runtime that has read everything but the process it is to run. */
export interface PreparedExec {
  readonly call: RuntimeCall
  readonly pipe: ProcessPipe
}

interface Waiting extends PreparedExec {
  readonly containerId: ContainerId
  readonly timer: NodeJS.Timeout
}

/**
 * Runtimes that were started when their exec was created: loading itself and reading the container's configuration takes
 * such a program half of its time. Until it is given the process it has done nothing to the container, nor has it a child.
 */
export class PreparedExecs {
  readonly #waiting = new Map<string, Waiting>()
  readonly #patienceMs: number

  constructor(options: { readonly patienceMs?: number } = {}) {
    this.#patienceMs = options.patienceMs ?? patienceMs
  }

  /** Whether another one may wait. */
  get hasRoom(): boolean {
    return this.#waiting.size < maxWaiting
  }

  has(key: string): boolean {
    return this.#waiting.has(key)
  }

  /** `key`: what it waits for, the id of an exec or the likeness of one. */
  add(containerId: ContainerId, key: string, prepared: PreparedExec): void {
    const timer = setTimeout(() => this.drop(key), this.#patienceMs)
    this.#waiting.set(key, { ...prepared, containerId, timer })
  }

  /** The one that waits under the key, from then on the caller's; undefined when there is none, or when it has given up. */
  take(key: string): PreparedExec | undefined {
    const prepared = this.#waiting.get(key)
    if (!prepared) return undefined
    if (prepared.call.hasEnded()) {
      this.drop(key)
      return undefined
    }
    this.#forget(key, prepared)
    return prepared
  }

  /** The container has ended: what waits for it must not act any more on its pid, which becomes another process's. */
  dropOf(containerId: ContainerId): void {
    for (const [key, waiting] of this.#waiting) if (waiting.containerId === containerId) this.drop(key)
  }

  /** Ends the one that waits under the key. */
  drop(key: string): void {
    const waiting = this.#waiting.get(key)
    if (!waiting) return
    this.#forget(key, waiting)
    const { call, pipe } = waiting
    if (!call.hasEnded()) killPid(call.pid, 9)
    call[Symbol.dispose]()
    pipe[Symbol.dispose]()
    for (const file of [call.files.logFile, call.files.pidFile]) removeFile(file)
  }

  #forget(key: string, { timer }: Waiting): void {
    clearTimeout(timer)
    this.#waiting.delete(key)
  }
}
