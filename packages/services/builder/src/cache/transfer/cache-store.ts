import type { ImageLayer } from '@berth/images'
import type { Descriptor, Digest } from '@berth/oci'
import type { ImportedSteps } from './cache-document.ts'

/** Where a cache is kept: a repository of a registry, or a directory of the client's. */
export interface CacheStore {
  /** The document that the cache's name stands for. */
  manifest(signal: AbortSignal): Promise<{ readonly descriptor: Descriptor; readonly bytes: Buffer }>
  /** Another one, by its digest. */
  manifestOf(digest: Digest, signal: AbortSignal): Promise<Buffer>
  /** A small blob, verified. */
  readBlob(blob: Descriptor, maxBytes: number, signal: AbortSignal): Promise<Buffer>
  /** Brings a blob into this engine's store, verified. */
  fetchBlob(blob: Descriptor, signal: AbortSignal): Promise<void>
  /** Takes a layer of ours; returns what it is there. */
  putLayer(layer: ImageLayer, signal: AbortSignal): Promise<Descriptor>
  putBlob(bytes: Buffer, signal: AbortSignal): Promise<void>
  /** Puts it under the cache's name. */
  putManifest(manifest: { readonly mediaType: string; readonly bytes: Buffer }, signal: AbortSignal): Promise<void>
}

/** A cache that a build may take steps from. */
export interface CacheSource {
  readonly steps: ImportedSteps
  fetchBlob(blob: Descriptor, signal: AbortSignal): Promise<void>
}
