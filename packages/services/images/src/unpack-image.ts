import { shortId } from '@berth/base'
import { hexOf } from '@berth/oci'
import { verifyDiffId } from './add-layer.ts'
import type { ImagesContext } from './context.ts'
import type { Progress } from './images.ts'
import { chainIdsOf, type ImageRecord } from './image-store.ts'
import { layerProgress } from './progress.ts'
import { blamingDisk, requireSound } from './sound-blobs.ts'

export interface UnpackOptions {
  readonly progress?: Progress | undefined
  /** The blobs have been verified a moment ago: a plain tar is not hashed again. */
  readonly areFresh?: boolean
}

/**
 * Makes sure that every layer has its snapshot; returns the record with the layers' sizes. A layer that another image
 * unpacked is not unpacked again, but the blob must still be what the config says: it may be pushed or saved one day.
 */
export async function unpackImage(
  context: ImagesContext,
  image: ImageRecord,
  options: UnpackOptions = {},
): Promise<ImageRecord> {
  const { snapshots } = context
  const chain = chainIdsOf(image)
  if (image.layerSizes && chain.every((chainId) => snapshots.has(chainId))) return image
  const layerSizes: number[] = []
  for (const [i, chainId] of chain.entries()) {
    layerSizes.push(
      snapshots.has(chainId) ? await reuseLayer(context, image, i) : await unpackLayer(context, image, i, options),
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
  { progress, areFresh = false }: UnpackOptions,
): Promise<number> {
  const diffId = image.config.rootfs.diff_ids[i]
  const layer = image.layers[i]
  if (!diffId || !layer) throw new Error(`image ${image.id} has no layer ${i}`)
  requireSound(content, layer)
  const report = (current: number) =>
    progress?.(layerProgress('Loading layer', shortId(hexOf(diffId)), current, layer.size))
  report(0)
  const path = content.pathOf(layer.digest)
  const parent = chainIdsOf(image)[i - 1]
  const source = { path, diffId, ...(areFresh && { blobDigest: layer.digest }) }
  const { sizeBytes } = await blamingDisk(content, layer.digest, () => snapshots.unpack(parent, source))
  report(layer.size)
  return sizeBytes
}
