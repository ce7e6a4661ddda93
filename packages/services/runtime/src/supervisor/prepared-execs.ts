import { rmSync } from 'node:fs'
import { killPid } from '@berth/linux'
import type { ContainerId, ExecId } from '@berth/base'
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
  readonly #waiting = new Map<ExecId, Waiting>()
  readonly #patienceMs: number

  constructor(options: { readonly patienceMs?: number } = {}) {
    this.#patienceMs = options.patienceMs ?? patienceMs
  }

  /** Whether another one may wait. */
  get hasRoom(): boolean {
    return this.#waiting.size < maxWaiting
  }

  has(execId: ExecId): boolean {
    return this.#waiting.has(execId)
  }

  add(containerId: ContainerId, execId: ExecId, prepared: PreparedExec): void {
    const timer = setTimeout(() => this.drop(execId), this.#patienceMs)
    this.#waiting.set(execId, { ...prepared, containerId, timer })
  }

  /** The one that waits for the exec, from then on the caller's; undefined when there is none, or when it has given up. */
  take(execId: ExecId): PreparedExec | undefined {
    const prepared = this.#waiting.get(execId)
    if (!prepared) return undefined
    if (prepared.call.hasEnded()) {
      this.drop(execId)
      return undefined
    }
    this.#forget(execId, prepared)
    return prepared
  }

  /** The container has ended: what waits for it must not act any more on its pid, which becomes another process's. */
  dropOf(containerId: ContainerId): void {
    for (const [execId, waiting] of this.#waiting) if (waiting.containerId === containerId) this.drop(execId)
  }

  /** Ends the one that waits for the exec. */
  drop(execId: ExecId): void {
    const waiting = this.#waiting.get(execId)
    if (!waiting) return
    this.#forget(execId, waiting)
    const { call, pipe } = waiting
    if (!call.hasEnded()) killPid(call.pid, 9)
    call[Symbol.dispose]()
    pipe[Symbol.dispose]()
    for (const file of [call.files.logFile, call.files.pidFile]) rmSync(file, { force: true })
  }

  #forget(execId: ExecId, { timer }: Waiting): void {
    clearTimeout(timer)
    this.#waiting.delete(execId)
  }
}
