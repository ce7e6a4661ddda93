import { SharedWork } from '@berth/base'
import type { Descriptor } from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { ContentStore, IngestedBlob } from '@berth/storage'
import type { TransferSlots } from './transfer-slots.ts'

/** How far a blob is on its way. Sizes are bytes. */
export type BlobProgress =
  | { readonly phase: 'waiting' }
  | { readonly phase: 'downloading'; readonly currentBytes: number }
  | { readonly phase: 'verifying' }

export interface BlobDownloadsOptions {
  readonly content: ContentStore
  readonly slots: TransferSlots
}

export interface BlobRequest {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly repository: Repository
  readonly signal: AbortSignal
  readonly onProgress?: (progress: BlobProgress) => void
}

/** Brings blobs from registries into the store; each one once at a time, for all who want it. */
export class BlobDownloads {
  readonly #options: BlobDownloadsOptions
  readonly #shared = new SharedWork<IngestedBlob, BlobProgress>()

  constructor(options: BlobDownloadsOptions) {
    this.#options = options
  }

  /** Fails with the error of the registry; what somebody else's registry did wrong is tried again at ours. */
  async fetch(request: BlobRequest): Promise<IngestedBlob> {
    const { descriptor, signal, onProgress } = request
    const { digest } = descriptor
    const known = this.#options.content.info(digest)
    if (known) return { digest, sizeBytes: known.sizeBytes, isNew: false }
    const isOthers = this.#shared.has(digest)
    const begin = (own: AbortSignal, report: (progress: BlobProgress) => void) =>
      this.#download({ ...request, signal: own, onProgress: report })
    try {
      return await this.#shared.join(digest, begin, { signal, onProgress })
    } catch (error) {
      if (!isOthers || signal.aborted) throw error
      return await this.#shared.join(digest, begin, { signal, onProgress })
    }
  }

  async #download({ descriptor, repository, signal, onProgress }: BlobRequest): Promise<IngestedBlob> {
    const { content, slots } = this.#options
    const { digest, size } = descriptor
    using _ = await slots.take(signal, () => onProgress?.({ phase: 'waiting' }))
    const { chunks } = await repository.openBlob(descriptor, { signal })
    const counted = count(chunks, (progress) => onProgress?.(progress))
    return await content.ingest(counted, { expected: digest, sizeBytes: size, signal })
  }
}

/** Reports between the bytes, and their end. */
async function* count(chunks: AsyncIterable<Buffer>, report: (progress: BlobProgress) => void): AsyncGenerator<Buffer> {
  let currentBytes = 0
  for await (const chunk of chunks) {
    currentBytes += chunk.length
    report({ phase: 'downloading', currentBytes })
    yield chunk
  }
  report({ phase: 'verifying' })
}
