import type { ContainerId } from '@berth/base'
import type { Readable } from 'node:stream'
import { settlesWithin } from './settles-within.ts'

/** A client that does not read its output holds nobody else up for longer. */
const patienceMs = 250

/**
 * The outputs of containers that clients follow. Who waits for a container's exit is told of it after those have ended:
 * the two come by different connections, and clients (dockerode's run) take the one for the end of the other.
 */
export class AttachedOutputs {
  readonly #open = new Map<ContainerId, Set<Promise<void>>>()

  /** Knows of a stream until it has been read to its end, or is closed. */
  follow(id: ContainerId, stream: Readable): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    const open = this.#open.get(id) ?? new Set()
    this.#open.set(id, open.add(promise))
    const end = () => {
      open.delete(promise)
      if (open.size === 0 && this.#open.get(id) === open) this.#open.delete(id)
      resolve()
    }
    stream.once('end', end).once('close', end)
  }

  /** Resolves when those that are open now have ended, a moment later at most. */
  async ended(id: ContainerId): Promise<void> {
    const open = this.#open.get(id)
    if (open) await settlesWithin(Promise.all(open), patienceMs)
  }
}
