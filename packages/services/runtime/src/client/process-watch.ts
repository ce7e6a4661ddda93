import { settlesWithin } from '@berth/base'
import { processKey, type ProcessTarget } from '../protocol/messages.ts'

const patienceMs = 1000

/**
 * Knows which processes are being started or run, so that a client's stream ends after the process's exit was told: the
 * two come by different connections.
 */
export class ProcessWatch {
  readonly #starting = new Map<string, Promise<unknown>>()
  readonly #exits = new Map<string, PromiseWithResolvers<void>>()

  /** Follows a start; the process counts as running once it succeeds. */
  async starting<T>(target: ProcessTarget, start: Promise<T>): Promise<T> {
    const key = processKey(target)
    // Known before the reply: the exit may come in the same packet.
    this.running(target)
    this.#starting.set(key, start)
    try {
      return await start
    } catch (error) {
      this.ended(target)
      throw error
    } finally {
      this.#starting.delete(key)
    }
  }

  running(target: ProcessTarget): void {
    const key = processKey(target)
    if (!this.#exits.has(key)) this.#exits.set(key, Promise.withResolvers<void>())
  }

  ended(target: ProcessTarget): void {
    const key = processKey(target)
    this.#exits.get(key)?.resolve()
    this.#exits.delete(key)
  }

  allEnded(): void {
    for (const { resolve } of this.#exits.values()) resolve()
    this.#exits.clear()
  }

  /** Resolves when `target` is neither being started nor running, a second later at most. */
  async settled(target: ProcessTarget): Promise<void> {
    const key = processKey(target)
    await this.#starting.get(key)?.catch(() => {})
    const exit = this.#exits.get(key)
    if (!exit) return
    await settlesWithin(exit.promise, patienceMs, { ref: false })
  }
}
