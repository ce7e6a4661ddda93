import { fault, isDiskFull, isKind, SharedWork } from '@berth/base'
import type { Descriptor } from '@berth/oci'
import { BrokenOffError, pauseBeforeRetry, type Repository } from '@berth/registry'
import type { ContentStore, IngestedBlob, PartialBlob } from '@berth/storage'
import type { TransferSlots } from './transfer-slots.ts'

/** How far a blob is on its way. Sizes are bytes. */
export type BlobProgress =
  | { readonly phase: 'waiting' }
  | { readonly phase: 'downloading'; readonly currentBytes: number }
  /** Something went wrong that may pass. */
  | { readonly phase: 'retrying'; readonly secondsLeft: number }
  | { readonly phase: 'verifying' }
  /** It is whole and right in this file, which is moved to its place once it is on the disk. */
  | { readonly phase: 'verified'; readonly path: string }

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
    const { digest, size } = descriptor
    if (this.#options.content.holds({ digest, size })) return { digest, sizeBytes: size, isNew: false }
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
    using _ = await slots.take(signal, () => onProgress?.({ phase: 'waiting' }))
    await using partial = await content.begin(descriptor.digest, descriptor.size)
    const transfer = { descriptor, repository, signal, partial, report: onProgress ?? (() => {}) }
    try {
      return await fetchInTries(transfer)
    } catch (error) {
      // What broke off may be continued; what was wrong is of no use, and on a full disk it is in the way.
      const isCutShort = signal.aborted && !isDiskFull(signal.reason)
      if (error instanceof BrokenOffError || isCutShort) partial.keep()
      throw error
    }
  }
}

interface Transfer {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly repository: Repository
  readonly signal: AbortSignal
  readonly partial: PartialBlob
  readonly report: (progress: BlobProgress) => void
}

/** A body that breaks off is continued where it stands, with growing pauses. */
async function fetchInTries(transfer: Transfer): Promise<IngestedBlob> {
  const { partial, repository, signal, report } = transfer
  const resumed = partial.sizeBytes > 0
  for (let next = 2; ; next++) {
    try {
      await fetchRest(transfer)
      return await commit(transfer, resumed)
    } catch (error) {
      const waitMs = error instanceof BrokenOffError ? repository.retryMs(error, next) : undefined
      if (waitMs === undefined || signal.aborted) throw error
      await pauseBeforeRetry(waitMs, { signal, onRetry: retryTeller(report) })
    }
  }
}

async function fetchRest({ descriptor, repository, signal, partial, report }: Transfer): Promise<void> {
  const { digest, size } = descriptor
  if (partial.sizeBytes === size && size > 0) return
  const { chunks, start, host } = await repository.openBlob(descriptor, {
    start: partial.sizeBytes,
    signal,
    onRetry: retryTeller(report),
  })
  if (start !== partial.sizeBytes) await partial.reset()
  await partial.append(reported(chunks, { start, report }), signal)
  fault('pull: blob')
  if (partial.sizeBytes < size) {
    throw new BrokenOffError(`${host}: unexpected EOF: ${partial.sizeBytes} of ${size} bytes of blob ${digest}`)
  }
}

const retryTeller =
  (report: Transfer['report']) =>
  (secondsLeft: number): void =>
    report({ phase: 'retrying', secondsLeft })

/** Bytes of an earlier run may have been lost or altered since: then all of it is fetched once more. */
async function commit(transfer: Transfer, resumed: boolean): Promise<IngestedBlob> {
  const { partial, report } = transfer
  report({ phase: 'verifying' })
  try {
    partial.verify()
  } catch (error) {
    if (!resumed || !isKind(error, 'invalid')) throw error
    await partial.reset()
    await fetchRest(transfer)
    partial.verify()
  }
  report({ phase: 'verified', path: partial.path })
  return await partial.commit()
}

async function* reported(
  chunks: AsyncIterable<Buffer>,
  { start, report }: { readonly start: number; readonly report: (progress: BlobProgress) => void },
): AsyncGenerator<Buffer> {
  let currentBytes = start
  for await (const chunk of chunks) {
    currentBytes += chunk.length
    report({ phase: 'downloading', currentBytes })
    yield chunk
    fault('pull: chunk')
  }
}
