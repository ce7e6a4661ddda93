import { nowText } from '@berth/base'
import { familiarString, type Reference } from '@berth/oci'
import { announce, type ImagesContext } from './context.ts'
import { findImage, parseNewName } from './find-image.ts'
import { type ImageRecord, keyOf, type NameRecord, type StoreChange } from './image-store.ts'

/** Gives an image one more name, taking that from whatever had it. The target is judged before the source. */
export function tagImage(context: ImagesContext, source: string, target: string): void {
  const reference = parseNewName(target)
  const image = findImage(context.store, source)
  context.store.commit(changesOfTag(context, image, reference))
  announceTag(context, image, reference)
}

/** A name given to the default image of an index stands for the whole index. */
export function changesOfTag(context: ImagesContext, image: ImageRecord, reference: Reference): StoreChange[] {
  const sibling = context.store.namesOf(image.id).find(({ images }) => images[0] === image.id)
  const name: NameRecord = { ...(sibling ?? { target: image.manifest, images: [image.id] }), reference }
  return [
    { kind: 'putImage', image: { ...image, lastTaggedAt: nowText() } },
    { kind: 'putName', name },
  ]
}

export function announceTag(context: ImagesContext, image: ImageRecord, reference: Reference): void {
  context.logger.debug({ image: image.id, name: keyOf(reference) }, 'images: tagged')
  announce(context, 'tag', image.id, familiarString(reference))
}
