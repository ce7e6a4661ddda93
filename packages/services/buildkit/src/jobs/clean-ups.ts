import type { Logger } from '@berth/base'

/** What is released while clients go on. Disposing waits for it. */
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

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running)
  }

  async #dispose(what: AsyncDisposable): Promise<void> {
    try {
      await what[Symbol.asyncDispose]()
    } catch (error) {
      this.#logger.warn({ err: error }, 'after a build: its files could not be removed')
    }
  }
}
