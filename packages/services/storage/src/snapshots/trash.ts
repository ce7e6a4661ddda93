import { type Logger, messageOf } from '@berth/base'
import { mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { LayerWorker, type LayerWorkerOptions } from '../layers/layer-worker.ts'
import { removeSmallTree } from './small-trees.ts'

/** Trees removed one after another are deleted together: when nothing was removed for so long. */
const quietMs = 500

/** Or so long after the first of them. */
const longestMs = 5000

/** So few are looked at one by one; a thread is started for more. */
const fewTrees = 8

/** A thread of its own: nobody who copies files waits for a deletion. */
const ownThread = { threads: 1, idleMs: 100, soonMs: 0 }

/** Takes trees away at once, by a rename, and deletes them in the background. What a crash leaves is deleted at the next start. */
export class Trash implements AsyncDisposable {
  readonly #directory: string
  readonly #worker: LayerWorker
  readonly #logger: Logger
  /** Since the last tree, and since the first that waits. */
  #quiet: NodeJS.Timeout | undefined
  #longest: NodeJS.Timeout | undefined
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
    this.#stopTimers()
    const sweep = this.#sweeping.then(() => this.#sweep())
    this.#sweeping = sweep
    await sweep
  }

  /** Deletes no more; a deletion under way is cut off, the rest is for the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopTimers()
    this.#isClosed = true
    await this.#worker[Symbol.asyncDispose]()
    await this.#sweeping
  }

  #schedule(): void {
    if (this.#isClosed) return
    const after = (ms: number) => setTimeout(() => void this.empty(), ms).unref()
    clearTimeout(this.#quiet)
    this.#quiet = after(quietMs)
    this.#longest ??= after(longestMs)
  }

  #stopTimers(): void {
    clearTimeout(this.#quiet)
    clearTimeout(this.#longest)
    this.#longest = undefined
  }

  async #sweep(): Promise<void> {
    try {
      const paths = readdirSync(this.#directory).map((name) => join(this.#directory, name))
      const left = paths.length > fewTrees ? paths : await largeOnes(paths)
      if (left.length > 0 && !this.#isClosed) await this.#worker.run('remove', { paths: left })
    } catch (error) {
      if (!this.#isClosed)
        this.#logger.warn({ error: messageOf(error) }, 'snapshots: could not delete what was removed')
    }
  }
}

/** Removes the small ones, and returns the others. */
async function largeOnes(paths: readonly string[]): Promise<string[]> {
  const large: string[] = []
  for (const path of paths) if (!(await removeSmallTree(path))) large.push(path)
  return large
}
