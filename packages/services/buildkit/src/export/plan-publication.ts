import { invalid } from '@berth/base'
import type { LayerCompression, PublishRequest } from '@berth/images'
import type { Digest } from '@berth/oci'
import { platformKey } from '../gateway/solve-platforms.ts'
import { type Annotations, decodeAnnotations } from './annotations.ts'
import type { Built, Export } from './export-outcome.ts'
import { layerCompression } from './layer-compression.ts'

/** How an image is laid out that is more than a manifest without annotations. */
export interface PublicationPlan {
  readonly annotations: Annotations
  readonly isIndex: boolean
  readonly compression: LayerCompression
}

/** Undefined: it is one image, and nothing is said of it. Throws as BuildKit for what has no place. */
export function planPublication(
  { outcomes, isMultiPlatform, attests }: Built,
  wanted: Export,
): PublicationPlan | undefined {
  const annotations = decodeAnnotations(wanted, outcomes.map(platformKey))
  const isIndex = isMultiPlatform || attests !== undefined
  if (!isIndex && annotations.isEmpty) return undefined
  const ofIndex = { ...annotations.index, ...annotations.indexDescriptor }
  if (!isIndex && Object.keys(ofIndex).length > 0) {
    throw invalid('index annotations not supported for single platform export')
  }
  return { annotations, isIndex, compression: layerCompression(wanted.attributes) }
}

/** For one image of which nothing is said but how its layers are compressed. */
export function compressionPlan({ attributes }: Export): PublicationPlan {
  const none = () => ({})
  const annotations = { index: {}, indexDescriptor: {}, manifest: none, manifestDescriptor: none, isEmpty: true }
  return { annotations, isIndex: false, compression: layerCompression(attributes) }
}

/** What is asked of the image store; `ids` are those of the images, in the order of the outcomes. */
export function publishRequest(
  { outcomes, attests }: Built,
  { annotations, isIndex, compression }: PublicationPlan,
  { ids, names }: { readonly ids: readonly Digest[]; readonly names: readonly string[] },
): PublishRequest {
  return {
    isIndex,
    compression,
    annotations: annotations.index,
    images: outcomes.map((made, i) => ({
      id: ids[i] as Digest,
      platform: made.platform,
      annotations: annotations.manifest(platformKey(made)),
      descriptorAnnotations: annotations.manifestDescriptor(platformKey(made)),
      ...(attests && { attest: (manifest) => attests(made, { manifest, names }) }),
    })),
  }
}
