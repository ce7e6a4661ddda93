import {
  avoidsLabels,
  booleanFilter,
  type Filters,
  isKind,
  matchesLabels,
  messageOf,
  nowNs,
  requireKnownFilters,
  untilFilterNs,
} from '@berth/base'
import { type Digest, formatReference } from '@berth/oci'
import { setImmediate } from 'node:timers/promises'
import type { ImagesContext } from './context.ts'
import type { ImageDeleteItem } from './images.ts'
import { chainIdsOf, createdNsOf, type ImageRecord, type ImageStore } from './image-store.ts'
import { LayerUses } from './layer-uses.ts'
import { type Removal, removeImage } from './remove-image.ts'

export interface Pruning {
  readonly deleted: ImageDeleteItem[]
  readonly reclaimedBytes: number
  readonly images: ImageRecord[]
}

/** Whether a prune is for all that is old enough, so for what is no image too. */
export const isForAll = (filters: Filters): boolean => Object.keys(filters).every((key) => key === 'dangling')

/**
 * Removes what no container uses: images without a name, or with `dangling=false` all. `alreadyBytes` were freed before, and
 * are told of with the rest.
 */
export async function pruneImages(context: ImagesContext, filters: Filters, alreadyBytes = 0): Promise<Pruning> {
  requireKnownFilters(filters, ['dangling', 'label', 'label!', 'until'])
  const danglingOnly = booleanFilter(filters, 'dangling') ?? true
  const isAccepted = acceptance(filters)
  const sizes = layerSizes(context.store)
  const isToGo = (image: ImageRecord) => isAccepted(image) && isCandidate(context.store, image, danglingOnly)
  const removals = await pruneInParts(context, [...context.store.images.values()].filter(isToGo), isToGo)
  const deleted = removals.flatMap(({ items }) => items)
  const freed = deleted.map(({ Deleted }) => sizes.get(Deleted as Digest) ?? 0)
  const reclaimedBytes = freed.reduce((sum, size) => sum + size, alreadyBytes)
  context.events.publish('image', 'prune', '', { reclaimed: String(reclaimedBytes) })
  return { deleted, reclaimedBytes, images: removals.flatMap(({ images }) => images) }
}

/** Images that are removed before others have their turn: a few milliseconds' work. */
const imagesAtATime = 20

/** What happened between two parts counts: an image that was tagged or built upon meanwhile is judged anew. */
async function pruneInParts(
  context: ImagesContext,
  candidates: readonly ImageRecord[],
  isToGo: (image: ImageRecord) => boolean,
): Promise<Removal[]> {
  const removals: Removal[] = []
  for (let from = 0; from < candidates.length; from += imagesAtATime) {
    if (from > 0) await setImmediate()
    removals.push(...prunePart(context, candidates.slice(from, from + imagesAtATime), isToGo))
  }
  return removals
}

/** Nothing else happens meanwhile: what is in use is asked once. */
function prunePart(
  context: ImagesContext,
  candidates: readonly ImageRecord[],
  isToGo: (image: ImageRecord) => boolean,
): Removal[] {
  const uses = context.uses()
  const still = { ...context, uses: () => uses }
  const layers = new LayerUses(context)
  return candidates.flatMap(({ id }) => {
    const image = context.store.images.get(id)
    if (!image || !isToGo(image)) return []
    return attempts(context.store, image).map((reference) => attempt(still, reference, layers))
  })
}

function acceptance(filters: Filters): (image: ImageRecord) => boolean {
  const latest = untilFilterNs(filters, nowNs())
  return (image) => {
    const labels = image.config.config?.Labels
    if (latest !== undefined && createdNsOf(image) > latest) return false
    return matchesLabels(labels, filters['label']) && avoidsLabels(labels, filters['label!'])
  }
}

function isCandidate(store: ImageStore, image: ImageRecord, danglingOnly: boolean): boolean {
  const names = store.namesOf(image.id)
  if (names.length === 0) return !store.hasChildren(image.id)
  return (
    !danglingOnly || (!store.hasChildren(image.id) && names.every(({ reference }) => reference.digest !== undefined))
  )
}

/** Every name for itself, so that an image in use keeps none but its last. */
function attempts(store: ImageStore, image: ImageRecord): string[] {
  const names = store.namesOf(image.id).map(({ reference }) => formatReference(reference))
  return names.length > 0 ? names : [image.id]
}

const nothing: Removal = { items: [], images: [] }

/** An image in use stays; one that went as another's parent is gone already. */
function attempt(context: ImagesContext, reference: string, layers: LayerUses): Removal {
  try {
    return removeImage(context, reference, { force: false, prune: true }, layers)
  } catch (error) {
    const isExpected = isKind(error, 'conflict') || isKind(error, 'notFound')
    if (!isExpected) context.logger.warn({ reference, error: messageOf(error) }, 'images: not pruned')
    return nothing
  }
}

function layerSizes(store: ImageStore): ReadonlyMap<Digest, number> {
  const sizes = new Map<Digest, number>()
  for (const image of store.images.values()) {
    for (const [i, chainId] of chainIdsOf(image).entries()) sizes.set(chainId, image.layerSizes?.[i] ?? 0)
  }
  return sizes
}
