import { familiarString } from '@berth/oci'
import type { Image } from './images.ts'
import { chainIdsOf, type ImageRecord, type NameRecord } from './image-store.ts'

/** The image as other services see it, under `names`. */
export function presentImage(image: ImageRecord, names: readonly NameRecord[]): Image {
  const references = names.map(({ reference }) => reference)
  return {
    id: image.id,
    config: image.config,
    manifest: image.manifest.digest,
    chainId: chainIdsOf(image).at(-1),
    repoTags: references.filter(({ digest }) => digest === undefined).map(familiarString),
    repoDigests: references.filter(({ digest }) => digest !== undefined).map(familiarString),
    sizeBytes: (image.layerSizes ?? []).reduce((sum, size) => sum + size, 0),
    parent: image.parent,
    lastTaggedAt: image.lastTaggedAt,
  }
}
