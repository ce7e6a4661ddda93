import {
  booleanFilter,
  type Filters,
  invalid,
  matchesLabels,
  nowNs,
  parseTimestampNs,
  requireKnownFilters,
} from '@berth/base'
import { familiarName, familiarString, matchGlob, type Reference } from '@berth/oci'
import { findImage } from './find-image.ts'
import type { Image, ImageListQuery } from './images.ts'
import { createdNsOf, type ImageRecord, type ImageStore, type NameRecord } from './image-store.ts'
import { presentImage } from './present-image.ts'

const known = ['dangling', 'label', 'before', 'since', 'reference', 'until']

/** The images that the query accepts, newest first. Throws `invalid` for a filter that is unknown or malformed. */
export function listImages(store: ImageStore, { all = false, filters = {} }: ImageListQuery): Image[] {
  requireKnownFilters(filters, known)
  const dangling = booleanFilter(filters, 'dangling')
  const isWithin = timeWindow(store, filters)
  return [...store.images.values()]
    .filter((image) => isWithin(image) && matchesLabels(image.config.config?.Labels, filters['label']))
    .flatMap((image) => {
      const names = listedNames(store, image, filters['reference'] ?? [])
      const listed = names && isListed(store, image, { names, all, dangling })
      return listed ? [{ image, names, created: createdNsOf(image) }] : []
    })
    .toSorted((a, b) => compare(b.created, a.created) || compare(a.image.id, b.image.id))
    .map(({ image, names }) => presentImage(image, names))
}

interface Listing {
  readonly names: readonly NameRecord[]
  readonly all: boolean
  readonly dangling: boolean | undefined
}

/** An image without a name is listed as dangling, unless it is only a step on the way to another. */
function isListed(store: ImageStore, image: ImageRecord, { names, all, dangling }: Listing): boolean {
  const isTagged = names.some(({ reference }) => reference.digest === undefined)
  if (dangling === true) return !isTagged && !store.hasChildren(image.id)
  if (names.length > 0) return true
  return dangling !== false && (all || !store.hasChildren(image.id))
}

/**
 * The names to list an image under, those that match `patterns` if any; undefined when none does. Images of an index
 * for other platforms are listed by none of its names and so not at all.
 */
function listedNames(store: ImageStore, image: ImageRecord, patterns: readonly string[]): NameRecord[] | undefined {
  const all = store.namesOf(image.id)
  const own = all.filter(({ images }) => images[0] === image.id)
  if (all.length > 0 && own.length === 0) return undefined
  if (patterns.length === 0) return own
  const matching = own.filter(({ reference }) => patterns.some((pattern) => matchesPattern(pattern, reference)))
  return matching.length > 0 ? matching : undefined
}

function matchesPattern(pattern: string, reference: Reference): boolean {
  const matched = matchGlob(pattern, familiarString(reference))
  if (matched === undefined) throw invalid('syntax error in pattern')
  return matched || matchGlob(pattern, familiarName(reference)) === true
}

/** `before` and `since` name images, `until` a time; all given hold together. */
function timeWindow(store: ImageStore, filters: Filters): (image: ImageRecord) => boolean {
  const createdOf = (name: string) => createdNsOf(findImage(store, name))
  const now = nowNs()
  const before = [
    ...(filters['before'] ?? []).map(createdOf),
    ...(filters['until'] ?? []).map((text) => parseTimestampNs(text, now)),
  ]
  const since = (filters['since'] ?? []).map(createdOf)
  return (image) => {
    const created = createdNsOf(image)
    return before.every((limit) => created < limit) && since.every((limit) => created > limit)
  }
}

function compare<T extends bigint | string>(a: T, b: T): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
