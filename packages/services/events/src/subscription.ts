import type { EngineEvent, EventQuery } from './events.ts'

/** A bounded queue between the publisher, which never waits, and one reader. */
export class Subscription implements AsyncIterableIterator<EngineEvent> {
  readonly #accepts: ((event: EngineEvent) => boolean) | undefined
  readonly #limit: number
  readonly #endSteps: (() => void)[]
  #queue: EngineEvent[] = []
  #waiting: ((result: IteratorResult<EngineEvent>) => void)[] = []
  #ended = false

  constructor(query: EventQuery, limit: number, onEnd: () => void) {
    this.#accepts = query.accepts
    this.#limit = limit
    this.#endSteps = [onEnd]
  }

  /** Queues `event` when it is wanted; a reader who lets the queue overflow is ended, and its queue dropped. */
  offer(event: EngineEvent): void {
    if (this.#ended || this.#accepts?.(event) === false) return
    const reader = this.#waiting.shift()
    if (reader) return reader({ value: event, done: false })
    this.#queue.push(event)
    if (this.#queue.length <= this.#limit) return
    this.#queue = []
    this.end()
  }

  /** What is queued can still be read. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    for (const step of this.#endSteps) step()
    for (const reader of this.#waiting) reader({ value: undefined, done: true })
    this.#waiting = []
  }

  /** `step` runs at the end, or now when that has been. */
  onEnd(step: () => void): void {
    if (this.#ended) step()
    else this.#endSteps.push(step)
  }

  next(): Promise<IteratorResult<EngineEvent>> {
    const value = this.#queue.shift()
    if (value) return Promise.resolve({ value, done: false })
    if (this.#ended) return Promise.resolve({ value: undefined, done: true })
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  return(): Promise<IteratorResult<EngineEvent>> {
    this.#queue = []
    this.end()
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}
