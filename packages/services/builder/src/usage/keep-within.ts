import type { Logger } from '@berth/base'
import type { Storage } from '@berth/storage'
import type { PruneRule } from '../builder.ts'
import type { Context } from '../context.ts'
import { pruneRecords } from './prune-records.ts'

/** Whoever builds has the result first. */
const laterMs = 200

export interface KeepWithinOptions {
  readonly context: Context
  readonly logger: Logger
  /** In their order; asked for each time. */
  readonly rules: () => readonly PruneRule[]
  readonly collect: Storage['collect']
}

/** Keeps the cache within its rules: after each build, and as soon as a running one fills it beyond the largest of them. */
export class CacheKeeper implements AsyncDisposable {
  readonly #options: KeepWithinOptions
  #running: Promise<void> | undefined
  #isWanted = false
  #later: NodeJS.Timeout | undefined

  constructor(options: KeepWithinOptions) {
    this.#options = options
  }

  /** Something was added. Layers that images share count here: it costs nothing to look once too often. */
  onAdded(): void {
    const ceilings = this.#options.rules().flatMap(({ maxUsedBytes, reservedBytes }) => maxUsedBytes || reservedBytes)
    const ceiling = Math.max(...ceilings)
    if (ceilings.length > 0 && this.#options.context.cache.layerBytes > ceiling) this.#wake()
  }

  /** A build is over. */
  onBuilt(): void {
    this.#later ??= setTimeout(() => {
      this.#later = undefined
      this.#wake()
    }, laterMs).unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#later)
    while (this.#running) await this.#running
    const { context, logger } = this.#options
    try {
      context.cache.flush()
    } catch (error) {
      logger.warn({ err: error }, 'builder: what was of use is not written down')
    }
  }

  /** Looks at the rules, in the background. */
  #wake(): void {
    this.#isWanted = true
    this.#running ??= this.#run().finally(() => (this.#running = undefined))
  }

  async #run(): Promise<void> {
    const { context, logger, rules, collect } = this.#options
    try {
      context.cache.flush()
      while (this.#isWanted) {
        this.#isWanted = false
        let dropped = 0
        for (const rule of rules()) dropped += (await pruneRecords(context, rule)).length
        if (dropped > 0) await collect()
      }
    } catch (error) {
      logger.warn({ err: error }, 'builder: the cache could not be kept within its limits')
    }
  }
}
