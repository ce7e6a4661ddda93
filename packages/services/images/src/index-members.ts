import { decodeDocument, type Descriptor, type Digest, type Manifest, maxManifestBytes } from '@berth/oci'
import type { ImagesContext } from './context.ts'
import type { ImageRecord, NameRecord } from './image-store.ts'

/** What an index names. */
export type IndexMember = {
  readonly descriptor: Descriptor
} & (
  | { readonly kind: 'image'; readonly image: ImageRecord; readonly manifest: Manifest }
  /** It says something of another member: BuildKit's attestations. */
  | { readonly kind: 'attestation'; readonly manifest: Manifest }
  | { readonly kind: 'absent' }
)

type Stores = Pick<ImagesContext, 'store' | 'content'>

/** The members of the index that a name stands for; undefined where it stands for a manifest, or its index is not here. */
export async function indexMembers(stores: Stores, name: NameRecord): Promise<IndexMember[] | undefined> {
  const { store, content } = stores
  const { target, images } = name
  if (!content.info(target.digest)) return undefined
  const document = decodeDocument(await content.read(target.digest, maxManifestBytes))
  if (document.kind !== 'index') return undefined
  const here = new Map(images.flatMap((id) => store.images.get(id) ?? []).map((image) => [image.id, image]))
  return await Promise.all(document.index.manifests.map((descriptor) => memberOf(stores, descriptor, here)))
}

async function memberOf(
  { content }: Stores,
  descriptor: Descriptor,
  images: ReadonlyMap<Digest, ImageRecord>,
): Promise<IndexMember> {
  if (!content.info(descriptor.digest)) return { kind: 'absent', descriptor }
  const document = decodeDocument(await content.read(descriptor.digest, maxManifestBytes))
  if (document.kind !== 'manifest') return { kind: 'absent', descriptor }
  const { manifest } = document
  if (isAttestation(descriptor)) return { kind: 'attestation', descriptor, manifest }
  const image = images.get(manifest.config.digest)
  return image ? { kind: 'image', descriptor, image, manifest } : { kind: 'absent', descriptor }
}

/** BuildKit hangs its attestations into the index as manifests of no platform. */
export const isAttestation = ({ platform, annotations }: Descriptor): boolean =>
  platform?.os === 'unknown' || annotations?.['vnd.docker.reference.type'] !== undefined
