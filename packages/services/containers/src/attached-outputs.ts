import { type ContainerId, settlesWithin } from '@berth/base'
import type { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** A client that does not read its output holds nobody else up for longer. */
const patienceMs = 250

/** So long a busy client may be at work on the head of an answer; its rest is then read before output that came first. */
const headMs = 25

/**
 * The outputs of containers that clients follow. Who waits for a container's exit is told of it after those have ended:
 * the two come by different connections, and clients (dockerode's run) take the one for the end of the other.
 */
export class AttachedOutputs {
  readonly #known = new Map<ContainerId, Set<Promise<void>>>()

  /** Knows of a stream until a moment after it has been read to its end, or was closed. */
  follow(id: ContainerId, stream: Readable): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const known = this.#known.get(id) ?? new Set()
    this.#known.set(id, known.add(promise))
    const forget = () => {
      known.delete(promise)
      if (known.size === 0 && this.#known.get(id) === known) this.#known.delete(id)
    }
    const end = () => {
      resolve()
      setTimeout(forget, headMs).unref()
    }
    stream.once('end', end).once('close', end)
  }

  /**
   * Resolves when those that are open now have ended, a moment later at most. The answer was begun at `begunMs`, or,
   * where that is undefined, its head has been read.
   */
  async ended(id: ContainerId, begunMs: number | undefined): Promise<void> {
    const known = this.#known.get(id)
    if (!known) return
    await settlesWithin(Promise.all(known), patienceMs)
    if (begunMs === undefined) return
    const restMs = begunMs + headMs - performance.now()
    if (restMs > 0) await delay(restMs)
  }
}
