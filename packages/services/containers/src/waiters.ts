import type { ContainerId } from '@berth/base'
import type { WaitCondition, WaitResult } from './containers.ts'

interface Waiter {
  readonly condition: WaitCondition
  readonly settle: (result: WaitResult) => void
}

/** Those who wait for a container's exit or removal. */
export class Waiters {
  readonly #waiting = new Map<ContainerId, Set<Waiter>>()

  /** Resolves at the next event that fits `condition`; rejects when `signal` aborts. */
  wait(id: ContainerId, condition: WaitCondition, signal?: AbortSignal): Promise<WaitResult> {
    const { promise, resolve, reject } = Promise.withResolvers<WaitResult>()
    const waiters = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiters)
    const abort = () => {
      leave()
      reject(signal?.reason)
    }
    const waiter: Waiter = { condition, settle: (result) => (leave(), resolve(result)) }
    const leave = () => {
      signal?.removeEventListener('abort', abort)
      waiters.delete(waiter)
      if (waiters.size === 0 && this.#waiting.get(id) === waiters) this.#waiting.delete(id)
    }
    waiters.add(waiter)
    signal?.addEventListener('abort', abort, { once: true })
    if (signal?.aborted) abort()
    return promise
  }

  exited(id: ContainerId, result: WaitResult): void {
    for (const waiter of this.#of(id)) if (waiter.condition !== 'removed') waiter.settle(result)
  }

  removed(id: ContainerId, result: WaitResult): void {
    for (const waiter of this.#of(id)) waiter.settle(result)
  }

  #of(id: ContainerId): Waiter[] {
    return [...(this.#waiting.get(id) ?? [])]
  }
}
