import { type Logger, messageOf } from '@berth/base'
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { LayerWorker, type LayerWorkerOptions } from '../layers/layer-worker.ts'

/** Trees removed one after another are deleted together, when whoever removed them is likely done. */
const delayMs = 500

/** A thread of its own: nobody who copies files waits for a deletion. */
const ownThread = { threads: 1, idleMs: 100, soonMs: 0 }

/** Takes trees away at once, by a rename, and deletes them in the background. What a crash leaves is deleted at the next start. */
export class Trash implements AsyncDisposable {
  readonly #directory: string
  readonly #worker: LayerWorker
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(directory: string, worker: LayerWorkerOptions | undefined, logger: Logger) {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    this.#directory = directory
    this.#worker = new LayerWorker({ ...worker, ...ownThread })
    this.#logger = logger
    if (readdirSync(directory).length > 0) this.#schedule()
  }

  /** Moves the tree at `path` here, under the unused `name`; it must be on the same file system. */
  take(path: string, name: string): void {
    renameSync(path, join(this.#directory, name))
    this.#schedule()
  }

  /** Deletes what is here now; failures are logged and tried again at the next start. */
  async empty(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const sweep = this.#sweeping.then(() => this.#sweep())
    this.#sweeping = sweep
    await sweep
  }

  /** Deletes no more; a deletion under way is cut off, the rest is for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    this.#isClosed = true
    await this.#worker[Symbol.asyncDispose]()
  }

  #schedule(): void {
    if (!this.#isClosed) this.#timer ??= setTimeout(() => void this.empty(), delayMs).unref()
  }

  async #sweep(): Promise<void> {
    const paths = readdirSync(this.#directory).map((name) => join(this.#directory, name))
    if (paths.length === 0) return
    try {
      await this.#worker.run('remove', { paths })
    } catch (error) {
      if (!this.#isClosed)
        this.#logger.warn({ error: messageOf(error) }, 'snapshots: could not delete what was removed')
    }
  }
}
