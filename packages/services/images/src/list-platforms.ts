import { decodeDocument, type Descriptor, isIndexType, maxManifestBytes, type Platform } from '@berth/oci'
import type { ImagesContext } from './context.ts'
import type { Image } from './images.ts'
import { type ImageRecord, type ImageStore, type NameRecord } from './image-store.ts'
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
  if (!name || !content.info(name.target.digest)) return []
  const document = decodeDocument(await content.read(name.target.digest, maxManifestBytes))
  if (document.kind !== 'index') return []
  const images = name.images.flatMap((id) => store.images.get(id) ?? [])
  return document.index.manifests.flatMap((descriptor) => {
    const { platform } = descriptor
    if (!platform || platform.os === 'unknown') return []
    const record = images.find(({ manifest }) => manifest.digest === descriptor.digest)
    if (!record) return [{ descriptor, platform, contentBytes: descriptor.size }]
    const contentBytes = contentBytesOf(record, content.info(record.id)?.sizeBytes ?? 0)
    return [{ descriptor, platform, image: presentImage(record, []), contentBytes }]
  })
}

function indexNameOf(store: ImageStore, { id }: Pick<Image, 'id'>): NameRecord | undefined {
  return store.namesOf(id).find(({ target, images }) => isIndexType(target.mediaType) && images[0] === id)
}

const contentBytesOf = ({ manifest, layers }: ImageRecord, configBytes: number): number =>
  layers.reduce((sum, { size }) => sum + size, manifest.size + configBytes)
