import { type TarEntry, type TarSource, writeTar } from '@berth/archive'
import { internal, notFound, parseTimeNs } from '@berth/base'
import {
  type Descriptor,
  type Digest,
  familiarName,
  familiarString,
  formatReference,
  hexOf,
  isNameOnly,
  mediaTypes,
  nameOf,
  parseAnyReference,
  parseReference,
  type Reference,
  withDefaultTag,
} from '@berth/oci'
import { blobDirectories, blobMember, blobPath, jsonMember, layoutMember } from './archive-members.ts'
import { announce, type ImagesContext } from './context.ts'
import { findImage } from './find-image.ts'
import type { SaveOptions } from './images.ts'
import { type ImageRecord, type ImageStore, keyOf } from './image-store.ts'

/** An image to save and the tags under which it goes. */
export interface SavedImage {
  readonly image: ImageRecord
  readonly tags: Reference[]
}

/**
 * The images that `references` name, each once: a bare name is all its tags, an id has none. Throws `notFound` in
 * Docker's words.
 */
export function planSave(
  store: ImageStore,
  references: readonly string[],
  { platform, names }: SaveOptions = {},
): SavedImage[] {
  const planned = new Map<Digest, SavedImage>()
  const add = (image: ImageRecord, tag?: Reference) => {
    const saved = planned.get(image.id) ?? { image, tags: [] }
    planned.set(image.id, saved)
    if (tag && !saved.tags.some((other) => keyOf(other) === keyOf(tag))) saved.tags.push(tag)
  }
  for (const text of references) {
    const reference = parseAnyReference(text)
    const isName = typeof reference !== 'string' && familiarName(reference) !== 'sha256'
    const tags = isName && isNameOnly(reference) ? tagsOf(store, reference) : []
    for (const tag of tags) add(findImage(store, formatReference(tag), platform), tag)
    if (tags.length > 0) continue
    if (isName && !isNameOnly(reference)) {
      if (!store.names.has(keyOf(reference))) throw notFound('reference does not exist')
      add(findImage(store, text, platform), reference.digest === undefined ? reference : undefined)
    } else {
      add(findByIdOnly(store, text, platform))
    }
  }
  const tags = names?.map((name) => withDefaultTag(parseReference(name)))
  return [...planned.values()].map((saved) => (tags ? { ...saved, tags } : saved))
}

function tagsOf(store: ImageStore, reference: Reference): Reference[] {
  const name = nameOf(reference)
  return [...store.names.values()]
    .map((record) => record.reference)
    .filter((other) => other.digest === undefined && nameOf(other) === name)
    .toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

/** Here Docker's message names what was asked for, without a tag. */
function findByIdOnly(store: ImageStore, text: string, platform?: string): ImageRecord {
  const isId = /^(?:sha256:)?[a-f0-9]+$/.test(text)
  const isHere = isId && store.images.keys().some((id) => id.startsWith(text) || hexOf(id).startsWith(text))
  if (!isHere) throw notFound(`No such image: ${text}`)
  return findImage(store, text, platform)
}

/** A tar that Docker and OCI tools read: an OCI layout with Docker's manifest.json and `repositories`. */
export function saveImages(context: ImagesContext, images: readonly SavedImage[]): AsyncGenerator<Buffer> {
  for (const { image } of images) requireContent(context, image)
  return writeTar(members(context, images))
}

function requireContent({ content }: ImagesContext, image: ImageRecord): void {
  const missing = blobsOf(image).find(({ digest }) => !content.info(digest))
  if (missing) throw internal(`blob ${missing.digest} of image ${image.id} is not in the store`)
}

const blobsOf = ({ id, manifest, layers }: ImageRecord): Pick<Descriptor, 'digest'>[] => [
  { digest: id },
  manifest,
  ...layers,
]

async function* members(context: ImagesContext, images: readonly SavedImage[]): AsyncGenerator<TarSource> {
  // What is being written out must outlive a removal of the image.
  using _ = await context.reclaimer.lease()
  yield layoutMember
  yield jsonMember('index.json', ociIndex(images))
  yield jsonMember('manifest.json', images.map(manifestItem))
  const repositories = legacyRepositories(images)
  if (Object.keys(repositories).length > 0) yield jsonMember('repositories', repositories)
  yield* blobDirectories(images.flatMap(({ image }) => blobsOf(image).map(({ digest }) => digest)))
  const written = new Set<Digest>()
  for (const { image } of images) {
    yield* blobMembers(context, image, written)
    announce(context, 'save', image.id)
  }
}

/** Config and layers carry the image's time; the manifest is ours and carries none. */
function* blobMembers({ content }: ImagesContext, image: ImageRecord, written: Set<Digest>): Generator<TarSource> {
  const mtime = mtimeOf(image)
  for (const { digest } of blobsOf(image)) {
    const info = content.info(digest)
    if (!info) throw internal(`blob ${digest} of image ${image.id} is not in the store`)
    if (written.has(digest)) continue
    written.add(digest)
    const times = digest === image.manifest.digest ? {} : { mtime }
    yield blobMember(content, { digest, sizeBytes: info.sizeBytes }, times)
  }
}

function mtimeOf({ config }: ImageRecord): TarEntry['mtime'] {
  const ns = parseTimeNs(config.created ?? '') ?? 0n
  return { seconds: ns > 0n ? Number(ns / 1_000_000_000n) : 0, nanoseconds: 0 }
}

function manifestItem({ image, tags }: SavedImage): object {
  return {
    Config: blobPath(image.id),
    RepoTags: tags.length > 0 ? tags.map(familiarString) : null,
    Layers: image.layers.map(({ digest }) => blobPath(digest)),
  }
}

/** One descriptor a tag, as containerd names them; an image without tags has one without a name. */
function ociIndex(images: readonly SavedImage[]): object {
  const manifests = images.flatMap(({ image: { manifest }, tags }) => {
    const descriptor = { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.size }
    if (tags.length === 0) return [descriptor]
    return tags.map((tag) => ({
      ...descriptor,
      annotations: {
        'io.containerd.image.name': formatReference(tag),
        'org.opencontainers.image.ref.name': withDefaultTag(tag).tag,
      },
    }))
  })
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests }
}

/** What engines before 1.10 read: name to tag to the hex digits of the top layer. */
function legacyRepositories(images: readonly SavedImage[]): Record<string, Record<string, string>> {
  const repositories = new Map<string, Record<string, string>>()
  for (const { image, tags } of images) {
    const top = image.layers.at(-1)?.digest
    if (!top) continue
    for (const tag of tags) {
      const name = familiarName(tag)
      repositories.set(name, { ...repositories.get(name), [tag.tag ?? 'latest']: hexOf(top) })
    }
  }
  return Object.fromEntries(repositories)
}
