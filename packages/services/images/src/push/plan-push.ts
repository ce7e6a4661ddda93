import { internal, invalid, notFound, ownValue } from '@berth/base'
import {
  decodeDocument,
  type Descriptor,
  type Digest,
  familiarName,
  familiarString,
  isIndexType,
  isNameOnly,
  maxManifestBytes,
  mediaTypes,
  nameOf,
  type Reference,
  sha256,
} from '@berth/oci'
import type { ImagesContext } from '../context.ts'
import { findImage } from '../find-image.ts'
import { type ImageRecord, type ImageStore, keyOf, type NameRecord } from '../image-store.ts'
import { indexMembers } from '../index-members.ts'

/** A tag to push and what goes with it. */
export interface PlannedTag {
  readonly reference: Reference
  /** The images that go, the children of the index if there is one. */
  readonly images: readonly PlannedImage[]
  /** What the index says of them. */
  readonly attached?: readonly PlannedAttachment[]
  /** What the name keeps, beside what its images do. */
  readonly blobs?: readonly Digest[]
  /** The index that goes last and unchanged; absent: the one image's manifest is what the tag will stand for. */
  readonly index?: Descriptor
  /** The index that cannot go, for not all of it is here. */
  readonly insteadOf?: Descriptor
}

/** An image and the manifest under which the name knows it. */
export interface PlannedImage {
  readonly image: ImageRecord
  readonly manifest: Descriptor
  readonly layers: readonly Descriptor[]
  /** The manifest goes as it is, for an index or a user names it by its digest. */
  readonly isFixed?: boolean
}

/** A manifest that is no image's, and what it leads to. */
export interface PlannedAttachment {
  readonly manifest: Descriptor
  readonly blobs: readonly Descriptor[]
}

/** The tags that a push of `reference` is of; a name alone is all of them. Throws in Docker's words. */
export function namesToPush(store: ImageStore, reference: Reference): NameRecord[] {
  if (reference.digest !== undefined) throw invalid('cannot push a digest reference')
  const ofRepository = [...store.names.values()].filter(
    (name) => name.reference.digest === undefined && nameOf(name.reference) === nameOf(reference),
  )
  if (ofRepository.length === 0) {
    throw notFound(`An image does not exist locally with the tag: ${familiarName(reference)}`)
  }
  if (isNameOnly(reference)) return ofRepository.toSorted((a, b) => (keyOf(a.reference) < keyOf(b.reference) ? -1 : 1))
  const found = ofRepository.find((name) => name.reference.tag === reference.tag)
  if (!found) throw notFound(`tag does not exist: ${familiarString(reference)}`)
  return [found]
}

/** What goes with one tag: the whole index where all of it is here, else this host's image, or the one of `platform`. */
export async function planTag(
  context: ImagesContext,
  name: NameRecord,
  platform: string | undefined,
): Promise<PlannedTag> {
  const { reference, target } = name
  const image = findImage(context.store, keyOf(reference), platform)
  if (platform !== undefined) return { reference, images: [ofRecord(image)] }
  if (!isIndexType(target.mediaType)) {
    return { reference, images: [await ofTarget(context, image, target)], blobs: name.blobs ?? [] }
  }
  const whole = await wholeIndex(context, name)
  if (whole) return { reference, ...whole, index: target, blobs: name.blobs ?? [] }
  return { reference, images: [ofRecord(image)], insteadOf: target }
}

const ofRecord = (image: ImageRecord): PlannedImage => ({ image, manifest: image.manifest, layers: image.layers })

/** One image may be known by several manifests. */
async function ofTarget({ content }: ImagesContext, image: ImageRecord, target: Descriptor): Promise<PlannedImage> {
  if (target.digest === image.manifest.digest) return ofRecord(image)
  const document = decodeDocument(await content.read(target.digest, maxManifestBytes))
  if (document.kind !== 'manifest') return ofRecord(image)
  const { layers } = document.manifest
  const isFixed = layers.every(({ digest }) => content.info(digest) !== undefined)
  return { image, manifest: target, layers, isFixed }
}

/** The members of an index, if every document and blob that it leads to is here. */
async function wholeIndex(
  context: ImagesContext,
  name: NameRecord,
): Promise<Pick<PlannedTag, 'images' | 'attached'> | undefined> {
  const members = await indexMembers(context, name)
  if (!members) return undefined
  const isHere = ({ digest }: Descriptor) => context.content.info(digest) !== undefined
  const images: PlannedImage[] = []
  const attached: PlannedAttachment[] = []
  for (const { descriptor, ...member } of members) {
    if (member.kind === 'absent') return undefined
    const { config, layers } = member.manifest
    if (![config, ...layers].every(isHere)) return undefined
    if (member.kind === 'attestation') attached.push({ manifest: descriptor, blobs: [config, ...layers] })
    else images.push({ image: member.image, manifest: descriptor, layers, isFixed: true })
  }
  return { images, attached }
}

/** How a layer goes out: as it is, or compressed first. */
export interface PlannedLayer {
  readonly diffId: Digest
  readonly stored: Descriptor
  readonly isCompressed: boolean
}

/**
 * A layer that was made or loaded here as a plain tar goes compressed, as every client expects. What a registry gave
 * us goes back byte by byte.
 */
export function planLayers(
  { image, layers, isFixed = false }: PlannedImage,
  { isHere, isFromRegistry }: { readonly isHere: (digest: Digest) => boolean; readonly isFromRegistry: boolean },
): PlannedLayer[] {
  return layers.map((layer, i) => {
    const [diffId, own] = [image.config.rootfs.diff_ids[i], image.layers[i]]
    if (!diffId || !own) throw new Error(`image ${image.id} has no layer ${i}`)
    if (isHere(layer.digest))
      return { diffId, stored: layer, isCompressed: isPlain(layer) && !isFromRegistry && !isFixed }
    if (isHere(own.digest)) return { diffId, stored: own, isCompressed: isPlain(own) }
    throw internal(`layer ${layer.digest} of image ${image.id} is not in the store`)
  })
}

/** Stored without compression: made here, as a rule. */
export const isPlain = ({ mediaType }: Descriptor): boolean =>
  mediaType === mediaTypes.layerTar || mediaType === mediaTypes.dockerLayerTar

/** A manifest or index as it goes out. */
export interface PushedManifest {
  readonly descriptor: Descriptor
  readonly bytes: Buffer
}

/** The manifest for layers as they went out: Docker's own, or OCI's where a layer is of a kind that only that knows. */
export function buildPushedManifest(
  config: Pick<Descriptor, 'digest' | 'size'>,
  layers: readonly Descriptor[],
): PushedManifest {
  const isOci = layers.some(({ mediaType }) => ownValue(dockerTypes, mediaType) === undefined)
  const mediaType = isOci ? mediaTypes.manifest : mediaTypes.dockerManifest
  const toType = (layer: Descriptor) =>
    isOci ? (ownValue(ociTypes, layer.mediaType) ?? layer.mediaType) : ownValue(dockerTypes, layer.mediaType)
  const document = {
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isOci ? mediaTypes.config : mediaTypes.dockerConfig,
      digest: config.digest,
      size: config.size,
    },
    layers: layers.map((layer) => ({ mediaType: toType(layer), digest: layer.digest, size: layer.size })),
  }
  const bytes = Buffer.from(JSON.stringify(document))
  return { descriptor: { mediaType, digest: sha256(bytes), size: bytes.length }, bytes }
}

const dockerTypes: Readonly<Record<string, string>> = {
  [mediaTypes.layerTar]: mediaTypes.dockerLayerTar,
  [mediaTypes.layerGzip]: mediaTypes.dockerLayerGzip,
  [mediaTypes.dockerLayerTar]: mediaTypes.dockerLayerTar,
  [mediaTypes.dockerLayerGzip]: mediaTypes.dockerLayerGzip,
}
/** OCI's names for Docker's kinds of layers. */
export const ociTypes: Readonly<Record<string, string>> = {
  [mediaTypes.dockerLayerTar]: mediaTypes.layerTar,
  [mediaTypes.dockerLayerGzip]: mediaTypes.layerGzip,
}
