import { messageOf } from '@berth/base'

/** Work that has the same outcome whenever it has the same key. */
export interface Step<R, E> {
  readonly key: string
  /** Does it; `emit` tells whoever waits what happens meanwhile. */
  exec(emit: (event: E) => void, signal: AbortSignal): Promise<R>
}

/** Where outcomes are kept. */
export interface StepCache<R> {
  get(key: string): Promise<{ readonly result: R } | undefined>
  put(key: string, result: R): Promise<void>
}

export interface Solving<E> {
  readonly onEvent: (event: E) => void
  readonly signal: AbortSignal
  /** Do it anew, and remember that. */
  readonly noCache: boolean
}

interface Work<R, E> {
  readonly promise: Promise<R>
  readonly abort: AbortController
  readonly past: E[]
  readonly listeners: Set<(event: E) => void>
  waiting: number
}

/**
 * Does each step once at a time, however many builds want it: those that come later join, hear what was said so far, and
 * the work is stopped when the last of them has gone.
 */
export class Solver<R, E> {
  readonly #cache: StepCache<R>
  readonly #work = new Map<string, Work<R, E>>()

  constructor(cache: StepCache<R>) {
    this.#cache = cache
  }

  async solve(step: Step<R, E>, solving: Solving<E>): Promise<{ readonly result: R; readonly isCached: boolean }> {
    solving.signal.throwIfAborted()
    const running = this.#work.get(step.key)
    if (running) return { result: await join(running, solving), isCached: false }
    if (!solving.noCache) {
      const cached = await this.#cache.get(step.key)
      if (cached) return { ...cached, isCached: true }
    }
    const work = this.#work.get(step.key) ?? this.#begin(step)
    return { result: await join(work, solving), isCached: false }
  }

  #begin(step: Step<R, E>): Work<R, E> {
    const abort = new AbortController()
    const past: E[] = []
    const listeners = new Set<(event: E) => void>()
    const emit = (event: E) => {
      past.push(event)
      for (const listener of listeners) listener(event)
    }
    const promise = this.#run(step, emit, abort.signal).finally(() => this.#work.delete(step.key))
    promise.catch(messageOf)
    const work = { promise, abort, past, listeners, waiting: 0 }
    this.#work.set(step.key, work)
    return work
  }

  async #run(step: Step<R, E>, emit: (event: E) => void, signal: AbortSignal): Promise<R> {
    const result = await step.exec(emit, signal)
    await this.#cache.put(step.key, result)
    return result
  }
}

async function join<R, E>(work: Work<R, E>, { onEvent, signal }: Solving<E>): Promise<R> {
  work.waiting++
  for (const event of work.past) onEvent(event)
  work.listeners.add(onEvent)
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const leave = () => reject(signal.reason as Error)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([work.promise, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
    work.listeners.delete(onEvent)
    // Whoever leaves last takes the work along; it is given the time to clean up.
    if (--work.waiting === 0 && signal.aborted) {
      work.abort.abort(signal.reason)
      await work.promise.catch(() => {})
    }
  }
}
