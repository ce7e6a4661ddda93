import type { Digest } from '@berth/oci'
import type { Readable } from 'node:stream'

export interface BlobInfo {
  readonly digest: Digest
  readonly sizeBytes: number
}

export interface IngestedBlob extends BlobInfo {
  /** It was not in the store before, damaged or not. */
  readonly isNew: boolean
}

export interface IngestOptions {
  /** The blob must have this digest, else `invalid` and nothing is kept. */
  readonly expected?: Digest
  /** The blob must have exactly this size, else `invalid`; more bytes are never written. */
  readonly sizeBytes?: number
  readonly signal?: AbortSignal
}

/** A blob whose bytes are in a file, and which nobody has looked at yet: `finish()` is to be called, once. */
export interface StagedBlob {
  /** Verifies it by a thread, writes it to the disk and moves it to its place; deletes it when it is wrong. */
  finish(): Promise<IngestedBlob>
}

/**
 * A blob that arrives in pieces, perhaps over several runs of the engine. Disposing of it deletes what is there, unless
 * it was committed or is to be kept.
 */
export interface PartialBlob extends AsyncDisposable {
  readonly path: string
  /** Bytes that are there, from earlier tries too. */
  readonly sizeBytes: number
  /** Adds what `source` brings; `invalid` for more than the blob has. What came before a failure stays. */
  append(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void>
  /** Throws `invalid` when it is not what it should be. Whoever reads the file from here on reads the blob. */
  verify(): void
  /** Verifies it, writes it to the disk and moves it to its place. */
  commit(): Promise<IngestedBlob>
  /** Forgets all bytes. */
  reset(): Promise<void>
  /** What is there shall be there for a later try, for a day. */
  keep(): void
}

/**
 * Content-addressed blobs at `<root>/content/blobs/<algorithm>/<hex>`, verified while they stream in: temp file,
 * fsync, rename. What is half written after a crash is swept when the store opens.
 */
export interface ContentStore {
  info(digest: Digest): BlobInfo | undefined
  /** Whether the blob is here as it should be: of that size, and found damaged by nobody. */
  holds(blob: { readonly digest: Digest; readonly size: number }): boolean
  /** To be called by who finds that a blob's bytes are others: until the blob comes again it is not held. */
  distrust(digest: Digest): void
  /**
   * The digest of the bytes that are there, read by another thread; undefined when none are. A blob of others is not held
   * from then on.
   */
  examine(digest: Digest): Promise<Digest | undefined>
  /** The whole blob; `notFound` when absent, `invalid` when larger than `maxBytes`. For JSON documents. */
  read(digest: Digest, maxBytes: number): Promise<Buffer>
  open(digest: Digest, options?: { readonly start?: number; readonly end?: number }): Readable
  ingest(source: AsyncIterable<Uint8Array>, options?: IngestOptions): Promise<IngestedBlob>
  /** As `ingest()`, of a large blob: resolves as soon as all of `source` was read, so that what follows it can be. */
  stage(source: AsyncIterable<Uint8Array>, options?: IngestOptions): Promise<StagedBlob>
  put(bytes: Uint8Array): Promise<IngestedBlob>
  /** Begins or continues a blob that may take several tries; one at a time for each digest. */
  begin(digest: Digest, totalBytes: number): Promise<PartialBlob>
  /** Deletes beginnings of blobs that are too old or too little to be continued. Returns their bytes. */
  sweepPartials(): Promise<number>
  /** Moves the file at `path`, of this file system, in as the blob: verified and synced by the caller, now the store's. */
  adopt(path: string, digest: Digest): Promise<IngestedBlob>
  remove(digest: Digest): Promise<void>
  list(): BlobInfo[]
  /** The file that holds a blob, for workers that read it themselves. */
  pathOf(digest: Digest): string
}
