import type { ContainerId } from '@berth/base'

/** A stop whose process has not ended yet. */
export interface PendingStop extends Disposable {
  /** The event `stop` was announced, by whoever took the exit in. */
  readonly isTold: boolean
}

/** The stops under way: Docker announces `stop` before the `die` that it caused. */
export class Stops {
  readonly #pending = new Map<ContainerId, Set<{ isTold: boolean }>>()

  begin(id: ContainerId): PendingStop {
    const stops = this.#pending.get(id) ?? new Set()
    this.#pending.set(id, stops)
    const stop = {
      isTold: false,
      [Symbol.dispose]: () => {
        stops.delete(stop)
        if (stops.size === 0 && this.#pending.get(id) === stops) this.#pending.delete(id)
      },
    }
    stops.add(stop)
    return stop
  }

  /** How many were not told yet: the caller announces them. */
  tell(id: ContainerId): number {
    const untold = [...(this.#pending.get(id) ?? [])].filter(({ isTold }) => !isTold)
    for (const stop of untold) stop.isTold = true
    return untold.length
  }
}
