import { type ContainerId, type ExecId, notFound } from '@berth/base'
import type { Exec } from './container.ts'

/** How long an exec that has ended can still be inspected. */
const keptMs = 5 * 60_000

/** An exec and what only the engine needs to know of it. */
export type ExecEntry = Exec & { readonly endedAtMs?: number; readonly isClaimed?: boolean }

/** Execs, live and lately ended, in memory. */
export class ExecRegistry {
  readonly #execs = new Map<ExecId, ExecEntry>()
  readonly #waiting = new Map<ExecId, (() => void)[]>()

  insert(exec: Exec): void {
    this.#dropOld()
    this.#execs.set(exec.id, exec)
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
    for (const wake of this.#waiting.get(id) ?? []) wake()
    this.#waiting.delete(id)
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
    return this.#of(containerId).flatMap(({ id, exitCode }) => (exitCode === null ? [id] : []))
  }

  /** Those that nobody has started can be started no more: their container's run is over. */
  forgetUnstarted(containerId: ContainerId): void {
    for (const { id, isClaimed, running, exitCode } of this.#of(containerId)) {
      if (!isClaimed && !running && exitCode === null) this.#execs.delete(id)
    }
  }

  forget(containerId: ContainerId): void {
    for (const { id } of this.#of(containerId)) this.#execs.delete(id)
  }

  #of(containerId: ContainerId): ExecEntry[] {
    return [...this.#execs.values()].filter((exec) => exec.containerId === containerId)
  }

  #dropOld(): void {
    const oldest = Date.now() - keptMs
    for (const { id, endedAtMs } of this.#execs.values()) {
      if (endedAtMs !== undefined && endedAtMs < oldest) this.#execs.delete(id)
    }
  }
}
