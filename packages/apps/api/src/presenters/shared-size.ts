import type { Image, ImageHistoryItem } from '@berth/images'

/** Bytes of each layer by chain position: the history's sizes, less the entries that made no layer. */
function layerSizes(image: Image, history: readonly ImageHistoryItem[]): number[] {
  const entries = image.config.history ?? []
  const oldestFirst = history.toReversed()
  if (oldestFirst.length !== entries.length) return []
  return oldestFirst.filter((_, index) => !entries[index]?.empty_layer).map(({ Size }) => Size)
}

/** Bytes of each image's layers that another image has too, in the order of `images`. */
export function sharedSizes(images: readonly Image[], histories: readonly (readonly ImageHistoryItem[])[]): number[] {
  const users = new Map<string, number>()
  const chains = images.map(chainKeys)
  for (const chain of chains) for (const key of chain) users.set(key, (users.get(key) ?? 0) + 1)
  return images.map((image, index) => {
    const sizes = layerSizes(image, histories[index] ?? [])
    return chains[index]!.reduce((sum, key, layer) => sum + (users.get(key)! > 1 ? (sizes[layer] ?? 0) : 0), 0)
  })
}

/** Layers are shared when everything below them is the same too. */
function chainKeys({ config }: Image): string[] {
  return config.rootfs.diff_ids.map((_, index, all) => all.slice(0, index + 1).join(' '))
}
