import { fault, zeroTime } from '@berth/base'
import { type Digest, sha256 } from '@berth/oci'
import { announce, type ImagesContext } from './context.ts'
import { findImage, parseNewName } from './find-image.ts'
import type { CreateImageRequest, Image, ImageLayer } from './images.ts'
import { chainIdsOf, type ImageRecord } from './image-store.ts'
import { storeNewImage } from './new-image.ts'
import type { ImageLease } from './reclaimer.ts'
import { announceTag, changesOfTag } from './tag-image.ts'
import { unpackImage } from './unpack-image.ts'

/** Makes an image of layers that are in the store, and names it; one that is there already only gets the names. */
export async function createImage(context: ImagesContext, request: CreateImageRequest): Promise<Digest> {
  const references = request.references.map(parseNewName)
  using lease = await context.reclaimer.lease()
  const known = context.store.images.get(sha256(Buffer.from(JSON.stringify(request.config))))
  const image = known ?? (await storeImage(context, lease, request))
  fault('create image: stored')
  const names = references.flatMap((reference) => changesOfTag(context, image, reference))
  context.store.commit([...(known ? [] : [{ kind: 'putImage' as const, image }]), ...names])
  announce(context, 'create', image.id)
  for (const reference of references) announceTag(context, image, reference)
  return image.id
}

function storeImage(
  { content }: ImagesContext,
  lease: ImageLease,
  { config, layers, parent }: CreateImageRequest,
): Promise<ImageRecord> {
  return storeNewImage(content, lease, {
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    layerSizes: layers.map(({ sizeBytes }) => sizeBytes),
    parent,
    lastTaggedAt: zeroTime,
  })
}

/** The layers of an image, base first, unpacked where they were not. */
export async function imageLayers(context: ImagesContext, { id }: Image): Promise<ImageLayer[]> {
  const image = await unpackImage(context, findImage(context.store, id))
  const chain = chainIdsOf(image)
  return image.layers.map((descriptor, i) => ({
    descriptor,
    diffId: image.config.rootfs.diff_ids[i] as Digest,
    chainId: chain[i] as Digest,
    sizeBytes: image.layerSizes?.[i] ?? 0,
  }))
}
