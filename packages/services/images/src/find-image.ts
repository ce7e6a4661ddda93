import { invalid, notFound } from '@berth/base'
import {
  type Digest,
  familiarName,
  familiarString,
  formatPlatform,
  matchesPlatform,
  parseAnyReference,
  parsePlatform,
  parseReference,
  platformRank,
  type Platform,
  type Reference,
  withDefaultTag,
} from '@berth/oci'
import { type ImageRecord, type ImageStore, keyOf } from './image-store.ts'

/**
 * The image that `text` names: a reference, an id, or a prefix of one id. A name comes before an id prefix. Throws
 * `invalid` for what is no reference, else `No such image: x:latest` (`notFound`).
 */
export function findImage(store: ImageStore, text: string, platform?: string): ImageRecord {
  const wanted = platform === undefined ? undefined : parsePlatform(platform)
  const found = candidates(store, text)
  if (!wanted) return found[0]
  const fitting = bestFor(wanted, found)
  if (fitting) return fitting
  throw notFound(
    `image with reference ${text} was found but its platform (${formatPlatform(found[0].config)}) ` +
      `does not match the specified platform (${formatPlatform(wanted)})`,
  )
}

type Found = readonly [ImageRecord, ...ImageRecord[]]

function candidates(store: ImageStore, text: string): Found {
  const reference = parseAnyReference(text)
  if (typeof reference === 'string') {
    const image = store.images.get(reference)
    const [first, ...others] = image ? [image] : byTarget(store, reference)
    if (first) return [first, ...others]
    throw notFound(`No such image: ${reference}`)
  }
  const named = store.names.get(keyOf(reference))?.images.flatMap((id) => store.images.get(id) ?? []) ?? []
  const [first, ...others] = named.length > 0 ? named : byPrefix(store, text)
  if (!first) throw notFound(`No such image: ${familiarString(withDefaultTag(reference))}`)
  return [first, ...others]
}

/** The images of the index, or the one of the manifest, that a name of this engine stands for. */
function byTarget(store: ImageStore, digest: Digest): ImageRecord[] {
  const name = store.names.values().find(({ target }) => target.digest === digest)
  return name?.images.flatMap((id) => store.images.get(id) ?? []) ?? []
}

/** The one image whose id begins so; none when several do. */
function byPrefix(store: ImageStore, text: string): ImageRecord[] {
  const [, prefix] = /^(?:sha256:)?([a-f0-9]{1,64})$/.exec(text) ?? []
  if (prefix === undefined) return []
  const found = [...store.images.values()].filter(({ id }) => id.startsWith(`sha256:${prefix}`))
  return found.length === 1 ? found : []
}

function bestFor(wanted: Platform, images: readonly ImageRecord[]): ImageRecord | undefined {
  const worst = Number.MAX_SAFE_INTEGER
  return images
    .filter(({ config }) => matchesPlatform(wanted, config))
    .toSorted((a, b) => (platformRank(wanted, a.config) ?? worst) - (platformRank(wanted, b.config) ?? worst))[0]
}

/** Whether `text` is (a prefix of) the id, so that a removal is of the image and not of a name. */
export function isIdPrefix(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice('sha256:'.length).startsWith(text)
}

/** The reference for a new name; throws `invalid` for digests and for names that could be read as one. */
export function parseNewName(text: string): Reference {
  const reference = parseReference(text)
  if (reference.digest !== undefined) throw invalid('cannot import digest reference')
  if (familiarName(reference) === 'sha256') {
    throw invalid('refusing to create an ambiguous tag using digest algorithm as name')
  }
  return withDefaultTag(reference)
}
