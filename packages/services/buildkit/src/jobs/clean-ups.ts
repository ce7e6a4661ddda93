import type { Logger } from '@berth/base'

/** What is done, or released, while clients come and go. Disposing waits for it. */
export class CleanUps implements AsyncDisposable {
  readonly #running = new Set<Promise<void>>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** Disposes of something, and reports what fails. */
  add(what: AsyncDisposable): void {
    const running = this.#dispose(what).finally(() => this.#running.delete(running))
    this.#running.add(running)
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
    // A build that ends leaves its files to be removed.
    while (this.#running.size > 0) await Promise.all(this.#running)
  }

  async #dispose(what: AsyncDisposable): Promise<void> {
    try {
      await what[Symbol.asyncDispose]()
    } catch (error) {
      this.#logger.warn({ err: error }, 'after a build: its files could not be removed')
    }
  }
}
