import { ownValue } from '@berth/base'
import { type Descriptor, type Digest, mediaTypes } from '@berth/oci'
import { compressLayer } from '../compress-layer.ts'
import { isPlain, ociTypes } from '../push/plan-push.ts'
import type { PublishTools } from './publication.ts'

/** A layer as a manifest of ours names it: compressed as a push would, where it is not and shall be. */
export async function publishedLayer(
  { context, known, lease }: PublishTools,
  { layer, diffId }: { readonly layer: Descriptor; readonly diffId: Digest },
  isCompressed: boolean,
): Promise<Descriptor> {
  const { content } = context
  const { digest, size } = layer
  if (!isCompressed || !isPlain(layer)) {
    lease.broughtBlob({ digest, sizeBytes: size, isNew: false })
    return { mediaType: ownValue(ociTypes, layer.mediaType) ?? layer.mediaType, digest, size }
  }
  const before = known.compressedOf(diffId)
  if (before && content.info(before.digest)) {
    lease.broughtBlob({ digest: before.digest, sizeBytes: before.size, isNew: false })
    return { mediaType: mediaTypes.layerGzip, digest: before.digest, size: before.size }
  }
  const blob = await content.ingest(compressLayer(content.open(digest)))
  lease.broughtBlob(blob)
  const compressed = { digest: blob.digest, size: blob.sizeBytes }
  known.recordCompressed(diffId, { mediaType: mediaTypes.dockerLayerGzip, ...compressed })
  return { mediaType: mediaTypes.layerGzip, ...compressed }
}
