import type { ContainerId } from '@berth/base'

/** Two execs of a container within this time are likely to have a third one follow. */
const burstMs = 2000

/** Until the end of the exec that was just started has gone its way. */
const pauseMs = 5

/** Tells, of each container, when execs come one after the other, as those of scripts do and those of health probes do not. */
export class ExecBursts {
  readonly #last = new Map<ContainerId, number>()

  /** An exec was started. `onBurst` is called a moment later, if another one had been started shortly before. */
  note(containerId: ContainerId, onBurst: () => void): void {
    const now = performance.now()
    const isBurst = now - (this.#last.get(containerId) ?? -Infinity) < burstMs
    this.#last.set(containerId, now)
    // Only of the last one of several that came together, and not once the container has ended.
    if (isBurst) setTimeout(() => this.#last.get(containerId) === now && onBurst(), pauseMs)
  }

  forget(containerId: ContainerId): void {
    this.#last.delete(containerId)
  }
}
