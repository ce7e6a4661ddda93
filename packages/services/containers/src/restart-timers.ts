import type { ContainerId } from '@berth/base'

/** Back-off timers of restart policies, one a container at most. */
export class RestartTimers implements Disposable {
  readonly #timers = new Map<ContainerId, { readonly timer: NodeJS.Timeout; readonly cancelled: () => void }>()
  readonly #suspended = new Set<ContainerId>()
  readonly #delays = new Map<ContainerId, number>()

  /** Runs `restart` after `delayMs`, or `cancelled` when the timer is cancelled first. */
  schedule(id: ContainerId, delayMs: number, restart: () => void, cancelled: () => void): void {
    this.cancel(id)
    this.#delays.set(id, delayMs)
    const fire = () => {
      this.#timers.delete(id)
      restart()
    }
    this.#timers.set(id, { timer: setTimeout(fire, delayMs), cancelled })
  }

  /** True when a restart was pending and will not happen now. */
  cancel(id: ContainerId): boolean {
    const pending = this.#timers.get(id)
    if (!pending) return false
    clearTimeout(pending.timer)
    this.#timers.delete(id)
    pending.cancelled()
    return true
  }

  isPending(id: ContainerId): boolean {
    return this.#timers.has(id)
  }

  /** The delay before the last restart, 0 when there was none. */
  previousDelayMs(id: ContainerId): number {
    return this.#delays.get(id) ?? 0
  }

  /** The next back-off begins anew: a user started the container, or it is gone. */
  reset(id: ContainerId): void {
    this.#delays.delete(id)
  }

  /** While held, an exit of the container is not followed by its restart policy. */
  suspend(id: ContainerId): Disposable {
    this.#suspended.add(id)
    return { [Symbol.dispose]: () => void this.#suspended.delete(id) }
  }

  isSuspended(id: ContainerId): boolean {
    return this.#suspended.has(id)
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
