import { internal, parseTimeNs } from '@berth/base'
import { type Digest, familiarString } from '@berth/oci'
import { findImage } from './find-image.ts'
import type { ImageHistoryItem } from './images.ts'
import type { ImageRecord, ImageStore } from './image-store.ts'

/** How an image came to be, newest step first; steps that are images here have their id and tags. */
export function imageHistory(store: ImageStore, reference: string): ImageHistoryItem[] {
  const image = findImage(store, reference)
  const steps = readSteps(image).toReversed()
  const lineage = lineageOf(store, image)
  return steps.map((step, i) => {
    const id = lineage[i]
    return id ? { ...step, Id: id, Tags: tagsOf(store, id) } : step
  })
}

function readSteps(image: ImageRecord): ImageHistoryItem[] {
  let layer = 0
  return (image.config.history ?? []).map((entry) => {
    if (!entry.empty_layer && layer >= image.layers.length) {
      throw internal('too many non-empty layers in History section')
    }
    return {
      Id: '<missing>',
      Created: secondsOf(entry.created),
      CreatedBy: entry.created_by ?? '',
      Tags: null,
      Size: entry.empty_layer ? 0 : (image.layerSizes?.[layer++] ?? 0),
      Comment: entry.comment ?? '',
    }
  })
}

function secondsOf(time: string | undefined): number {
  const ns = parseTimeNs(time ?? '')
  return ns === undefined ? 0 : Number(ns / 1_000_000_000n)
}

/** The image's id, its parent's, and so on as far as they are here. */
function lineageOf(store: ImageStore, image: ImageRecord): Digest[] {
  const ids = new Set([image.id])
  for (let next = store.images.get(image.parent as Digest); next && !ids.has(next.id);) {
    ids.add(next.id)
    next = store.images.get(next.parent as Digest)
  }
  return [...ids]
}

function tagsOf(store: ImageStore, id: Digest): string[] | null {
  const tags = store
    .namesOf(id)
    .filter(({ reference }) => reference.digest === undefined)
    .map(({ reference }) => familiarString(reference))
  return tags.length > 0 ? tags : null
}
