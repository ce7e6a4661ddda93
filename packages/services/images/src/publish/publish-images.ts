import { writeTar, type TarSource } from '@berth/archive'
import { internal, nowText } from '@berth/base'
import { Readable } from 'node:stream'
import {
  type Descriptor,
  type Digest,
  familiarString,
  formatReference,
  mediaTypes,
  parseReference,
  withDefaultTag,
} from '@berth/oci'
import { blobDirectories, blobMember, blobPath, jsonMember, layoutMember } from '../archive-members.ts'
import type { ImagesContext } from '../context.ts'
import { parseNewName } from '../find-image.ts'
import { blobsOfName, keyOf } from '../image-store.ts'
import { announceTag } from '../tag-image.ts'
import type { TransferStore } from '../transfer-store.ts'
import { buildPublication, type Publication, type PublishRequest } from './publication.ts'

/** Has names stand for an index, or a manifest, of images that are here. */
export async function publishImages(
  context: ImagesContext,
  known: TransferStore,
  { references, ...request }: PublishRequest & { readonly references: readonly string[] },
): Promise<Descriptor> {
  const names = references.map(parseNewName)
  using lease = await context.reclaimer.lease()
  const { target, images, blobs } = await buildPublication({ context, known, lease }, request)
  const before = names.flatMap((name) => context.store.names.get(keyOf(name)) ?? [])
  const lastTaggedAt = nowText()
  const ids = [...new Set(images.map(({ id }) => id))]
  context.store.commit([
    ...(names.length > 0 ? images : []).map((image) => ({
      kind: 'putImage' as const,
      image: { ...image, ...context.store.images.get(image.id), lastTaggedAt },
    })),
    ...names.map((reference) => ({ kind: 'putName' as const, name: { reference, target, images: ids, blobs } })),
  ])
  context.reclaimer.offerBlobs(before.flatMap(blobsOfName))
  const [first] = images
  if (first) for (const name of names) announceTag(context, first, name)
  return target
}

export interface PackRequest extends PublishRequest {
  /** Whole ones. */
  readonly names: readonly string[]
  /** Of what names the target. */
  readonly rootAnnotations: Readonly<Record<string, string>>
  /** With Docker's manifest.json, which names one image. */
  readonly isDocker: boolean
}

/** The same as an OCI layout in a tar; whoever reads the archive destroys it. */
export async function packImages(
  context: ImagesContext,
  known: TransferStore,
  request: PackRequest,
): Promise<{ readonly target: Descriptor; readonly archive: Readable }> {
  const lease = await context.reclaimer.lease()
  try {
    const publication = await buildPublication({ context, known, lease }, request)
    const archive = Readable.from(writeTar(members(context, request, publication)), { objectMode: false })
    archive.once('close', () => lease[Symbol.dispose]())
    return { target: publication.target, archive }
  } catch (error) {
    lease[Symbol.dispose]()
    throw error
  }
}

function* members({ content }: ImagesContext, request: PackRequest, publication: Publication): Generator<TarSource> {
  const { target, blobs } = publication
  const digests = [...new Set([...blobs, target.digest])]
  yield layoutMember
  yield jsonMember('index.json', layoutIndex(request, target))
  if (request.isDocker) yield jsonMember('manifest.json', [dockerItem(request, publication)])
  yield* blobDirectories(digests)
  for (const digest of digests) {
    const info = content.info(digest)
    if (!info) throw internal(`blob ${digest} is not in the store`)
    yield blobMember(content, info)
  }
}

/** One descriptor a name, as BuildKit writes it. */
function layoutIndex({ names, rootAnnotations }: PackRequest, target: Descriptor): object {
  const references = names.map((name) => withDefaultTag(parseReference(name)))
  const named = (annotations: Record<string, string>) => ({
    ...target,
    annotations: { ...rootAnnotations, ...annotations },
  })
  const manifests =
    references.length === 0
      ? [named({})]
      : references.map((name) =>
          named({
            'io.containerd.image.name': formatReference(name),
            'org.opencontainers.image.ref.name': name.tag ?? 'latest',
          }),
        )
  return { schemaVersion: 2, mediaType: mediaTypes.index, manifests }
}

function dockerItem({ names, images }: PackRequest, { images: records }: Publication): object {
  const [record] = records
  if (!record || images.length !== 1) throw new Error('an archive of Docker’s own kind has one image')
  const layers: Digest[] = record.layers.map(({ digest }) => digest)
  return {
    Config: blobPath(record.id),
    RepoTags: names.map((name) => familiarString(withDefaultTag(parseReference(name)))),
    Layers: layers.map(blobPath),
  }
}
