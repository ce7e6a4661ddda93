import { decompress, detectCompression, magicBytes } from '@berth/archive'
import { fault, invalid } from '@berth/base'
import { type Descriptor, type Digest, Digester, mediaTypes } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import { open } from 'node:fs/promises'
import type { ImagesContext } from './context.ts'
import type { ImageLease } from './reclaimer.ts'
import { blamingDisk } from './sound-blobs.ts'

/** Layers of one image, as Docker has it. */
export const maxLayers = 127

export interface AddedLayer {
  readonly descriptor: Descriptor
  readonly diffId: Digest
  readonly chainId: Digest
  readonly sizeBytes: number
}

/** Stores a layer tar, uncompressed whatever it came as, and unpacks it on `parent`. */
export async function addLayer(
  { content, snapshots }: ImagesContext,
  lease: ImageLease,
  { source, parent }: { readonly source: AsyncIterable<Uint8Array>; readonly parent: Digest | undefined },
): Promise<AddedLayer> {
  const blob = await content.ingest(decompress(source))
  lease.broughtBlob(blob)
  fault('layer: ingested')
  const layer = { path: content.pathOf(blob.digest), diffId: blob.digest, blobDigest: blob.digest }
  const { chainId, sizeBytes } = await blamingDisk(content, blob.digest, () => snapshots.unpack(parent, layer))
  lease.broughtChain([chainId])
  fault('layer: unpacked')
  const descriptor = { mediaType: mediaTypes.layerTar, digest: blob.digest, size: blob.sizeBytes }
  return { descriptor, diffId: blob.digest, chainId, sizeBytes }
}

/** The descriptor of a layer blob in the store, its media type by its first bytes. */
export async function describeLayer(content: ContentStore, digest: Digest, size: number): Promise<Descriptor> {
  await using file = await open(content.pathOf(digest))
  const { buffer, bytesRead } = await file.read(Buffer.alloc(magicBytes), 0, magicBytes, 0)
  switch (detectCompression(buffer.subarray(0, bytesRead))) {
    case 'gzip':
      return { mediaType: mediaTypes.layerGzip, digest, size }
    case 'zstd':
      return { mediaType: mediaTypes.layerZstd, digest, size }
    default:
      // OCI knows no type for xz and bzip2; what reads the layer goes by its first bytes.
      return { mediaType: mediaTypes.layerTar, digest, size }
  }
}

/** Refuses a blob that is not, uncompressed, what `diffId` says. */
export async function verifyDiffId(content: ContentStore, digest: Digest, diffId: Digest): Promise<void> {
  if (digest === diffId) return
  await blamingDisk(content, digest, async () => {
    const digester = new Digester()
    for await (const chunk of decompress(content.open(digest))) digester.update(chunk)
    const actual = digester.digest()
    if (actual !== diffId) throw invalid(`invalid diffID for layer ${digest}: expected "${diffId}", got "${actual}"`)
  })
}
