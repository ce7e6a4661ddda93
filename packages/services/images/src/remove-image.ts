import { conflict, fault, shortId } from '@berth/base'
import { type Digest, familiarString, nameOf, parseReference, type Reference } from '@berth/oci'
import { announce, type ImagesContext } from './context.ts'
import { findImage, isIdPrefix } from './find-image.ts'
import type { ImageDeleteItem, ImageUse } from './images.ts'
import { blobsOfName, type ImageRecord, keyOf, type NameRecord } from './image-store.ts'
import { LayerUses } from './layer-uses.ts'

export interface RemoveOptions {
  readonly force: boolean
  /** Parents without a name go too. */
  readonly prune: boolean
  /** Only the image for this platform, os/arch[/variant], of those that the name stands for. */
  readonly platform?: string | undefined
}

/** What was done, and the images that are gone: their content is the caller's to free. */
export interface Removal {
  readonly items: ImageDeleteItem[]
  readonly images: ImageRecord[]
}

/** One that is under way. */
interface Removing extends Removal {
  readonly layers: LayerUses
}

const shortDigest = (id: string): string => shortId(id.replace(/^sha256:/, ''))

/**
 * Removes a name, and the image with its last one; or, named by id, the image with its names. A name of several stays
 * the only thing that goes. Throws `conflict` in Docker's words. Removals with nothing between them share `layers`.
 */
export function removeImage(
  context: ImagesContext,
  reference: string,
  options: RemoveOptions,
  layers: LayerUses = new LayerUses(context),
): Removal {
  const { store } = context
  const image = findImage(store, reference, options.platform)
  const removal: Removing = { items: [], images: [], layers }
  // The digest of an index stands for its images.
  const isById = isIdPrefix(image.id, reference) || /^sha256:[0-9a-f]{64}$/.test(reference)
  if (options.platform !== undefined && leaveIndexes(context, image, options)) {
    if (!store.hasNames(image.id)) deleteImage(context, image, { ...options, isQuiet: false }, removal)
    return removal
  }
  if (isById) {
    if (isSingle(store.namesOf(image.id))) removeOnlyNames(context, image, options, removal)
  } else {
    untag(context, image, reference, options, removal)
    if (store.hasNames(image.id)) return removal
  }
  deleteImage(context, image, { ...options, isQuiet: !isById }, removal)
  return removal
}

/** Takes an image out of the names that stand for others as well; false when it has none such. */
function leaveIndexes({ store, uses }: ImagesContext, image: ImageRecord, options: RemoveOptions): boolean {
  const shared = store.namesOf(image.id).filter(({ images }) => images.length > 1)
  if (shared.length === 0) return false
  const found = findConflict({ store, uses }, image, { soft: !options.force, names: false })
  if (found) throw found.error
  const without = (images: readonly Digest[]) => images.filter((id) => id !== image.id)
  store.commit(shared.map((name) => ({ kind: 'putName', name: { ...name, images: without(name.images) } })))
  return true
}

/** By id, an image of one tag goes with that: only its containers can stand in the way. */
function removeOnlyNames(context: ImagesContext, image: ImageRecord, options: RemoveOptions, removal: Removing): void {
  const found = findConflict(context, image, { soft: !options.force, names: false })
  if (found) throw found.error
  dropNames(context, image, context.store.namesOf(image.id), removal)
}

function untag(
  context: ImagesContext,
  image: ImageRecord,
  written: string,
  { force }: RemoveOptions,
  removal: Removing,
): void {
  const { store } = context
  const names = store.namesOf(image.id)
  const user = context.uses().find(({ imageId }) => imageId === image.id)
  if (!force && user && isSingle(names)) {
    throw conflict(
      `conflict: unable to remove repository reference ${JSON.stringify(written)} (must force) - ` +
        `container ${shortId(user.containerId)} is using its referenced image ${shortDigest(image.id)}`,
    )
  }
  const key = keyOf(parseReference(written))
  const [name] = names.filter(({ reference }) => keyOf(reference) === key)
  if (!name) return
  dropNames(context, image, [name], removal)
  if (name.reference.digest === undefined) dropOrphanDigests(context, image, name.reference, removal)
}

/** With its last tag, a repository's digests of the image go too; silently, as Docker does. */
function dropOrphanDigests(context: ImagesContext, image: ImageRecord, tag: Reference, removal: Removing): void {
  const same = context.store.namesOf(image.id).filter(({ reference }) => nameOf(reference) === nameOf(tag))
  if (same.some(({ reference }) => reference.digest === undefined)) return
  context.store.commit(same.map(({ reference }) => ({ kind: 'dropName', reference })))
  context.reclaimer.offerBlobs(same.flatMap(blobsOfName))
  removal.items.push(...same.map(untagged))
}

const untagged = ({ reference }: NameRecord): ImageDeleteItem => ({ Untagged: familiarString(reference) })

function dropNames(context: ImagesContext, image: ImageRecord, names: readonly NameRecord[], removal: Removing): void {
  context.store.commit(names.map(({ reference }) => ({ kind: 'dropName', reference })))
  for (const name of names) {
    announce(context, 'untag', image.id)
    removal.items.push(untagged(name))
    dropOtherPlatforms(context, name, image.id, removal)
    context.reclaimer.offerBlobs(blobsOfName(name))
  }
}

/** The other images of an index had no other name than its: they go with the last. */
function dropOtherPlatforms(context: ImagesContext, name: NameRecord, except: Digest, removal: Removing): void {
  for (const id of name.images) {
    const image = context.store.images.get(id)
    if (!image || id === except || context.store.hasNames(id)) continue
    deleteImage(context, image, { force: false, prune: false, isQuiet: true }, removal)
  }
}

/** One tag at most, and digests of no other repository than its. */
function isSingle(names: readonly NameRecord[]): boolean {
  if (names.length <= 1) return names.length === 1
  const tags = names.filter(({ reference }) => reference.digest === undefined)
  return tags.length <= 1 && new Set(names.map(({ reference }) => nameOf(reference))).size === 1
}

interface DeleteOptions extends RemoveOptions {
  /** Someone who removed a name need not hear that the image must stay. */
  readonly isQuiet: boolean
}

function deleteImage(context: ImagesContext, image: ImageRecord, options: DeleteOptions, removal: Removing): void {
  const { store } = context
  const found = findConflict(context, image, { soft: !options.force, names: !options.force })
  if (found) {
    const isDangling = !store.hasNames(image.id) && !store.hasChildren(image.id)
    if (options.isQuiet && (!isDangling || found.isUsed)) return
    throw found.error
  }
  dropNames(context, image, store.namesOf(image.id), removal)
  fault('remove image: untagged')
  const isHeld = context.uses().some(({ imageId }) => imageId === image.id)
  const freed = removal.layers.release(image)
  store.commit([{ kind: 'dropImage', id: image.id }])
  fault('remove image: recorded')
  announce(context, 'delete', image.id)
  removal.images.push(image)
  const gone = isHeld ? [] : freed.toReversed()
  removal.items.push({ Deleted: image.id }, ...gone.map((chainId) => ({ Deleted: chainId })))
  const parent = options.prune && image.parent ? store.images.get(image.parent) : undefined
  if (parent) deleteImage(context, parent, { force: false, prune: true, isQuiet: true }, removal)
}

interface Conflict {
  readonly error: Error
  /** A container is the reason. */
  readonly isUsed: boolean
}

/** The first reason to keep the image. Children and running containers always count, the rest only without force. */
function findConflict(
  context: Pick<ImagesContext, 'store' | 'uses'>,
  { id }: ImageRecord,
  { soft, names }: { readonly soft: boolean; readonly names: boolean },
): Conflict | undefined {
  const uses = context.uses().filter(({ imageId }) => imageId === id)
  const running = uses.find((use) => use.running)
  if (context.store.hasChildren(id)) return refusal(id, 'cannot be forced', 'image has dependent child images')
  if (running) return refusal(id, 'cannot be forced', usedBy('running', running), true)
  if (names && context.store.hasNames(id)) {
    return refusal(id, 'must be forced', 'image is referenced in multiple repositories')
  }
  const [stopped] = uses
  return soft && stopped ? refusal(id, 'must be forced', usedBy('stopped', stopped), true) : undefined
}

const usedBy = (state: string, { containerId }: ImageUse): string =>
  `image is being used by ${state} container ${shortId(containerId)}`

function refusal(id: Digest, force: string, reason: string, isUsed = false): Conflict {
  return { error: conflict(`conflict: unable to delete ${shortDigest(id)} (${force}) - ${reason}`), isUsed }
}
