import { type ContainerId, type ExecId, notFound } from '@berth/base'
import type { Exec } from './container.ts'

/** How long an exec that has ended can still be inspected. */
const keptMs = 5 * 60_000

/** An exec and what only the engine needs to know of it. */
export type ExecEntry = Exec & { readonly endedAtMs?: number; readonly isClaimed?: boolean }

/** Of one container. */
interface Own {
  readonly live: Set<ExecId>
  readonly ended: Set<ExecId>
}

/** Execs, live and lately ended, in memory. What is done with one takes as long however many have ended before. */
export class ExecRegistry {
  readonly #execs = new Map<ExecId, ExecEntry>()
  readonly #ofContainers = new Map<ContainerId, Own>()
  /** Ids of ended ones, the first to end first. */
  readonly #ended = new Set<ExecId>()
  readonly #waiting = new Map<ExecId, (() => void)[]>()

  insert(exec: Exec): void {
    this.#dropOld()
    this.#execs.set(exec.id, exec)
    this.#own(exec.containerId).live.add(exec.id)
  }

  /** Throws `notFound` in Docker's words; `ref` is a whole id. */
  resolve(ref: string): ExecEntry {
    const exec = this.#execs.get(ref as ExecId)
    if (!exec) throw notFound(`No such exec instance: ${ref}`)
    return exec
  }

  byId(id: ExecId): Exec | undefined {
    return this.#execs.get(id)
  }

  /** Somebody starts it: nobody else may. */
  claim(id: ExecId): void {
    this.#execs.set(id, { ...this.resolve(id), isClaimed: true })
  }

  started(id: ExecId, pid: number): void {
    const exec = this.resolve(id)
    // The exit of a short process can be reported before its start is.
    if (exec.exitCode === null) this.#execs.set(id, { ...exec, running: true, pid })
  }

  ended(id: ExecId, exitCode: number): Exec | undefined {
    const exec = this.#execs.get(id)
    if (!exec) return undefined
    const ended = { ...exec, running: false, exitCode, endedAtMs: Date.now() }
    this.#execs.set(id, ended)
    const own = this.#own(exec.containerId)
    own.live.delete(id)
    own.ended.add(id)
    // Behind the others, where it was among them before.
    this.#ended.delete(id)
    this.#ended.add(id)
    this.#wake(id)
    return ended
  }

  /** Resolves when the exec has ended (or is unknown). */
  whenEnded(id: ExecId): Promise<void> {
    const exec = this.#execs.get(id)
    if (!exec || exec.exitCode !== null) return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.set(id, [...(this.#waiting.get(id) ?? []), resolve])
    return promise
  }

  /** Ids of the container's execs that have not ended. */
  liveOf(containerId: ContainerId): ExecId[] {
    return [...(this.#ofContainers.get(containerId)?.live ?? [])]
  }

  /** Those that nobody has started can be started no more: their container's run is over. */
  forgetUnstarted(containerId: ContainerId): void {
    for (const id of this.liveOf(containerId)) {
      const { isClaimed, running } = this.resolve(id)
      if (!isClaimed && !running) this.#drop(id)
    }
  }

  forget(containerId: ContainerId): void {
    const { live = [], ended = [] } = this.#ofContainers.get(containerId) ?? {}
    for (const id of [...live, ...ended]) this.#drop(id)
  }

  #own(containerId: ContainerId): Own {
    const known = this.#ofContainers.get(containerId)
    if (known) return known
    const own = { live: new Set<ExecId>(), ended: new Set<ExecId>() }
    this.#ofContainers.set(containerId, own)
    return own
  }

  #wake(id: ExecId): void {
    for (const wake of this.#waiting.get(id) ?? []) wake()
    this.#waiting.delete(id)
  }

  #drop(id: ExecId): void {
    const { containerId } = this.resolve(id)
    this.#wake(id)
    this.#execs.delete(id)
    this.#ended.delete(id)
    const own = this.#own(containerId)
    own.live.delete(id)
    own.ended.delete(id)
    if (own.live.size + own.ended.size === 0) this.#ofContainers.delete(containerId)
  }

  #dropOld(): void {
    const oldest = Date.now() - keptMs
    for (const id of this.#ended) {
      if ((this.resolve(id).endedAtMs ?? 0) >= oldest) return
      this.#drop(id)
    }
  }
}
