import { notFound, shortId } from '@berth/base'
import { hexOf } from '@berth/oci'
import { verifyDiffId } from './add-layer.ts'
import type { ImagesContext } from './context.ts'
import type { Progress } from './images.ts'
import { chainIdsOf, type ImageRecord } from './image-store.ts'
import { layerProgress } from './progress.ts'

/**
 * Makes sure that every layer has its snapshot; returns the record with the layers' sizes. A layer that another image
 * unpacked is not unpacked again, but the blob must still be what the config says: it may be pushed or saved one day.
 */
export async function unpackImage(
  context: ImagesContext,
  image: ImageRecord,
  progress?: Progress,
): Promise<ImageRecord> {
  const { snapshots } = context
  const chain = chainIdsOf(image)
  if (image.layerSizes && chain.every((chainId) => snapshots.has(chainId))) return image
  const layerSizes: number[] = []
  for (const [i, chainId] of chain.entries()) {
    layerSizes.push(
      snapshots.has(chainId) ? await reuseLayer(context, image, i) : await unpackLayer(context, image, i, progress),
    )
  }
  return { ...image, layerSizes }
}

async function reuseLayer(
  { content, snapshots, store }: ImagesContext,
  image: ImageRecord,
  i: number,
): Promise<number> {
  const diffId = image.config.rootfs.diff_ids[i]
  const layer = image.layers[i]
  const chainId = chainIdsOf(image)[i]
  if (!diffId || !layer || !chainId) throw new Error(`image ${image.id} has no layer ${i}`)
  const isKnown = store.images
    .values()
    .some(({ layers, config }) => layers[i]?.digest === layer.digest && config.rootfs.diff_ids[i] === diffId)
  if (!isKnown) await verifyDiffId(content, layer.digest, diffId)
  return await snapshots.usage(chainId)
}

async function unpackLayer(
  { content, snapshots }: ImagesContext,
  image: ImageRecord,
  i: number,
  progress: Progress | undefined,
): Promise<number> {
  const diffId = image.config.rootfs.diff_ids[i]
  const layer = image.layers[i]
  if (!diffId || !layer) throw new Error(`image ${image.id} has no layer ${i}`)
  if (!content.info(layer.digest)) throw notFound(`layer ${layer.digest} of image ${image.id} is not in the store`)
  const report = (current: number) =>
    progress?.(layerProgress('Loading layer', shortId(hexOf(diffId)), current, layer.size))
  report(0)
  const path = content.pathOf(layer.digest)
  const { sizeBytes } = await snapshots.unpack(chainIdsOf(image)[i - 1], { path, diffId, blobDigest: layer.digest })
  report(layer.size)
  return sizeBytes
}
