import { invalid, notFound } from '@berth/base'
import {
  decodeDocument,
  decodeImageConfig,
  type Descriptor,
  hostPlatform,
  isConfigType,
  isIndexType,
  type Manifest,
  maxConfigBytes,
  maxManifestBytes,
} from '@berth/oci'
import {
  cacheConfigType,
  type ImportedSteps,
  maxCacheConfigBytes,
  parseCacheDocument,
  parseInlineRecords,
} from './cache-document.ts'
import type { CacheSource, CacheStore } from './cache-store.ts'

/** Reads what a cache holds: one of its own, or what an image tells of how it was made. */
export async function importCache(store: CacheStore, signal: AbortSignal): Promise<CacheSource> {
  const { descriptor, bytes } = await store.manifest(signal)
  const steps = await readManifest(store, bytes, { mediaType: descriptor.mediaType, signal })
  return { steps, fetchBlob: (blob, own) => store.fetchBlob(blob, own) }
}

interface Reading {
  readonly mediaType: string | undefined
  readonly signal: AbortSignal
}

async function readManifest(store: CacheStore, bytes: Buffer, { mediaType, signal }: Reading): Promise<ImportedSteps> {
  if (bytes.length > maxManifestBytes) throw invalid('the manifest of the cache is too large')
  const document = decodeDocument(bytes, mediaType)
  if (document.kind === 'manifest') return await readImage(store, document.manifest, signal)
  const { manifests } = document.index
  const config = manifests.find((entry) => entry.mediaType === cacheConfigType)
  if (config) return await readConfig(store, config, signal)
  const { os, architecture } = hostPlatform()
  const image = manifests.find(({ platform }) => platform?.os === os && platform.architecture === architecture)
  if (!image || isIndexType(image.mediaType)) throw notFound('no cache, and no image for this platform')
  return await readManifest(store, await store.manifestOf(image.digest, signal), { mediaType: image.mediaType, signal })
}

async function readImage(store: CacheStore, { config, layers }: Manifest, signal: AbortSignal): Promise<ImportedSteps> {
  if (config.mediaType === cacheConfigType) return await readConfig(store, config, signal)
  if (!isConfigType(config.mediaType)) throw invalid(`${config.mediaType} is neither a cache nor an image`)
  return inlineSteps(await store.readBlob(config, maxConfigBytes, signal), layers)
}

const readConfig = async (store: CacheStore, config: Descriptor, signal: AbortSignal): Promise<ImportedSteps> =>
  parseCacheDocument(await store.readBlob(config, maxCacheConfigBytes, signal))

/** The steps that an image's configuration tells of. */
export function inlineSteps(config: Buffer, layers: readonly Descriptor[]): ImportedSteps {
  const image = decodeImageConfig(config)
  const records = image['moby.buildkit.cache.v0']
  if (records === undefined) return new Map()
  const diffIds = image.rootfs.diff_ids
  if (diffIds.length !== layers.length) throw invalid('the image has not as many layers as its configuration says')
  return parseInlineRecords(
    records,
    layers.map((descriptor, i) => ({ descriptor, diffId: diffIds[i] as (typeof diffIds)[number] })),
  )
}
