import { type Logger, messageOf } from '@berth/base'
import type { LayerWorker } from '../layers/layer-worker.ts'
import type { SnapshotTable } from './snapshot-table.ts'

/** Layers of one image arrive together; the disk is spared until they are all there. */
const delayMs = 5000

/**
 * Brings committed layers to the disk some time after they were unpacked, so that nobody waits for it. Until then their
 * rows carry the boot id: after a power failure the sweep drops them, and they are unpacked again.
 */
export class Syncer implements Disposable {
  readonly #directory: string
  readonly #table: SnapshotTable
  readonly #worker: LayerWorker
  readonly #logger: Logger
  #timer: NodeJS.Timeout | undefined

  constructor(directory: string, parts: { table: SnapshotTable; worker: LayerWorker; logger: Logger }) {
    this.#directory = directory
    this.#table = parts.table
    this.#worker = parts.worker
    this.#logger = parts.logger
  }

  schedule(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.sync(), delayMs).unref()
  }

  /** Resolves when all that is committed now is on the disk; failures are logged, and tried again with the next layer. */
  async sync(): Promise<void> {
    const unsynced = [...this.#table.committed.values()].filter(({ unsyncedBoot }) => unsyncedBoot !== undefined)
    if (unsynced.length === 0) return
    try {
      await this.#worker.run('sync', { path: this.#directory })
      this.#table.markSynced(unsynced.map(({ chainId }) => chainId))
    } catch (error) {
      this.#logger.warn({ error: messageOf(error) }, 'snapshots: could not sync')
    }
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
