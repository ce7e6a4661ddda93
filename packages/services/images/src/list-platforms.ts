import { type Descriptor, isIndexType, type Manifest, type Platform } from '@berth/oci'
import type { ImagesContext } from './context.ts'
import type { Image } from './images.ts'
import type { ImageStore, NameRecord } from './image-store.ts'
import { indexMembers } from './index-members.ts'
import { presentImage } from './present-image.ts'

/** What the index of an image has for one platform. */
export interface ImagePlatform {
  /** Of the manifest, as the index names it. */
  readonly descriptor: Descriptor
  readonly platform: Platform
  /** Absent: it is not here. */
  readonly image?: Image
  /** Bytes of manifest, configuration and layers, as they are stored; of the manifest alone where the rest is not here. */
  readonly contentBytes: number
}

/** The platforms of the index that the image is known by; none when it is known by a manifest of its own. */
export async function listPlatforms(
  { store, content }: Pick<ImagesContext, 'store' | 'content'>,
  image: Pick<Image, 'id'>,
): Promise<ImagePlatform[]> {
  const name = indexNameOf(store, image)
  const members = name && (await indexMembers({ store, content }, name))
  return (members ?? []).flatMap((member): ImagePlatform[] => {
    const { descriptor } = member
    const { platform } = descriptor
    if (!platform || platform.os === 'unknown') return []
    if (member.kind !== 'image') return [{ descriptor, platform, contentBytes: descriptor.size }]
    const contentBytes = contentBytesOf(descriptor, member.manifest)
    return [{ descriptor, platform, image: presentImage(member.image, []), contentBytes }]
  })
}

function indexNameOf(store: ImageStore, { id }: Pick<Image, 'id'>): NameRecord | undefined {
  return store.namesOf(id).find(({ target, images }) => isIndexType(target.mediaType) && images[0] === id)
}

const contentBytesOf = ({ size }: Descriptor, { config, layers }: Manifest): number =>
  [config, ...layers].reduce((sum, blob) => sum + blob.size, size)
