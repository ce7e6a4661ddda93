import { createCompressor, decompress } from '@berth/archive'
import { ownValue } from '@berth/base'
import { type Descriptor, type Digest, mediaTypes } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import { pipeline } from 'node:stream/promises'
import { compressLayer } from '../compress-layer.ts'
import { isPlain, ociTypes } from '../push/plan-push.ts'
import { openSound } from '../sound-blobs.ts'
import type { PublishTools } from './publication.ts'

/** How layers go out. */
export interface LayerCompression {
  /** `none`: those that are stored without one stay so. */
  readonly algorithm: 'none' | 'gzip' | 'zstd'
  /** On the algorithm's own scale; undefined: what is usual. */
  readonly level: number | undefined
  /** Those too that are stored with another one: else they go as they are. */
  readonly isForced: boolean
}

const typesOf = { none: mediaTypes.layerTar, gzip: mediaTypes.layerGzip, zstd: mediaTypes.layerZstd } as const

/** A layer as a manifest of ours names it. */
export async function publishedLayer(
  { context, known, lease }: PublishTools,
  { layer, diffId }: { readonly layer: Descriptor; readonly diffId: Digest },
  compression: LayerCompression,
): Promise<Descriptor> {
  const { content } = context
  const storedType = ownValue(ociTypes, layer.mediaType) ?? layer.mediaType
  const mediaType = typesOf[compression.algorithm]
  if (storedType === mediaType || !(isPlain(layer) || compression.isForced)) {
    lease.broughtBlob({ digest: layer.digest, sizeBytes: layer.size, isNew: false })
    return { mediaType: storedType, digest: layer.digest, size: layer.size }
  }
  const before = isUsual(compression) ? known.compressedOf(diffId) : undefined
  if (before && content.info(before.digest)) {
    lease.broughtBlob({ digest: before.digest, sizeBytes: before.size, isNew: false })
    return { mediaType, digest: before.digest, size: before.size }
  }
  const blob = await content.ingest(bytesOf(content, layer, compression))
  lease.broughtBlob(blob)
  const made = { digest: blob.digest, size: blob.sizeBytes }
  if (isUsual(compression)) known.recordCompressed(diffId, { mediaType: mediaTypes.dockerLayerGzip, ...made })
  return { mediaType, ...made }
}

/** As a push makes them. */
const isUsual = ({ algorithm, level }: LayerCompression): boolean => algorithm === 'gzip' && level === undefined

async function* bytesOf(
  content: ContentStore,
  layer: Descriptor,
  compression: LayerCompression,
): AsyncGenerator<Uint8Array> {
  const stored = openSound(content, layer.digest)
  const plain = isPlain(layer) ? stored : decompress(stored)
  const { algorithm, level } = compression
  if (algorithm === 'none') yield* plain
  else if (isUsual(compression)) yield* compressLayer(plain)
  else {
    const compressor = createCompressor(algorithm, level === undefined ? {} : { level })
    // Either end's failure destroys the transform and so ends its reader.
    pipeline(plain, compressor).catch(() => {})
    yield* compressor as AsyncIterable<Buffer>
  }
}
