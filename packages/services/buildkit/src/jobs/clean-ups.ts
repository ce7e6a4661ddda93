import { type Logger, settlesWithin } from '@berth/base'
import { setImmediate } from 'node:timers/promises'

/** A client that has its answer, and asks one thing more, is gone by then. */
const laterMs = 100

/** What is done, or released, while clients come and go. Disposing waits for it. */
export class CleanUps implements AsyncDisposable {
  readonly #running = new Set<Promise<void>>()
  readonly #closing = Promise.withResolvers<void>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Disposes of something as soon as what clients wait for has been sent, and reports what fails. */
  add(what: AsyncDisposable): void {
    const running = this.#dispose(what).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  /** Does something when the client is gone. */
  addLater(work: () => Promise<void>): void {
    this.add({
      [Symbol.asyncDispose]: async () => {
        await settlesWithin(this.#closing.promise, laterMs)
        await work()
      },
    })
  }

  /** Has disposing wait for `work` too; returns it. */
  watch<T>(work: Promise<T>): Promise<T> {
    const running = work.then(
      () => {},
      () => {},
    )
    this.#running.add(running)
    void running.then(() => this.#running.delete(running))
    return work
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.resolve()
    // A build that ends leaves its files to be removed.
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #dispose(what: AsyncDisposable): Promise<void> {
    await setImmediate()
    try {
      await what[Symbol.asyncDispose]()
    } catch (error) {
      this.#logger.warn({ err: error }, 'after a build: its files could not be removed')
    }
  }
}
