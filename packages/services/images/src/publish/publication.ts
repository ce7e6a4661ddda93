import {
  type Descriptor,
  type Digest,
  hostPlatform,
  type Index,
  type Manifest,
  mediaTypes,
  type Platform,
  platformRank,
} from '@berth/oci'
import type { ImagesContext } from '../context.ts'
import { findImage } from '../find-image.ts'
import type { ImageRecord } from '../image-store.ts'
import type { ImageLease } from '../reclaimer.ts'
import type { TransferStore } from '../transfer-store.ts'
import { type LayerCompression, publishedLayer } from './published-layer.ts'
import { storeAttestations } from './attestations.ts'

type Annotations = Readonly<Record<string, string>>

/** What is said of an image: a statement of in-toto's (https://in-toto.io/Statement). */
export interface Attestation {
  readonly predicateType: string
  readonly statement: Buffer
}

export interface PublishedImage {
  /** Of an image that is here. */
  readonly id: Digest
  readonly platform: Platform
  /** Of its manifest, and of what names that in the index. */
  readonly annotations: Annotations
  readonly descriptorAnnotations: Annotations
  readonly attest?: (manifest: Descriptor) => readonly Attestation[]
}

export interface PublishRequest {
  /** One, where it is no index. */
  readonly images: readonly PublishedImage[]
  readonly isIndex: boolean
  /** Of the index. */
  readonly annotations: Annotations
  readonly compression: LayerCompression
  readonly onStep?: (text: string) => void
}

/** Images under one manifest or index, which is in the store with all that it leads to. */
export interface Publication {
  readonly target: Descriptor
  /** This host's first. */
  readonly images: readonly ImageRecord[]
  /** All that the target leads to. */
  readonly blobs: readonly Digest[]
}

export interface PublishTools {
  readonly context: ImagesContext
  readonly known: TransferStore
  readonly lease: ImageLease
}

/** Writes manifests, and the index of them, for images that are here. */
export async function buildPublication(tools: PublishTools, request: PublishRequest): Promise<Publication> {
  const { images, isIndex, annotations, onStep = () => {} } = request
  const published: Published[] = []
  for (const image of images) published.push(await publishOne(tools, image, request))
  const blobs = published.flatMap((one) => one.blobs)
  const records = byHost(published).map(({ record }) => record)
  const [only] = published
  if (!only) throw new Error('nothing to publish')
  if (!isIndex) return { target: only.manifest, images: records, blobs }
  const manifests = [
    ...published.map(({ named }) => named),
    ...published.flatMap(({ attestations }) => attestations ?? []),
  ]
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.index, manifests, ...annotated(annotations) }
  const target = await putDocument(tools, index, mediaTypes.index)
  onStep(`exporting manifest list ${target.digest}`)
  return { target, images: records, blobs: [...blobs, target.digest] }
}

interface Published {
  readonly record: ImageRecord
  readonly manifest: Descriptor
  /** As the index names it. */
  readonly named: Descriptor
  readonly attestations: Descriptor | undefined
  readonly blobs: readonly Digest[]
}

async function publishOne(
  tools: PublishTools,
  { id, platform, annotations, descriptorAnnotations, attest }: PublishedImage,
  { compression, onStep = () => {} }: PublishRequest,
): Promise<Published> {
  const { content, store } = tools.context
  const record = findImage(store, id)
  const layers: Descriptor[] = []
  for (const [i, layer] of record.layers.entries()) {
    const diffId = record.config.rootfs.diff_ids[i] as Digest
    layers.push(await publishedLayer(tools, { layer, diffId }, compression))
  }
  const size = content.info(id)?.sizeBytes ?? 0
  const config = { mediaType: mediaTypes.config, digest: id, size }
  const document: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config,
    layers,
    ...annotated(annotations),
  }
  const manifest = await putDocument(tools, document, mediaTypes.manifest)
  onStep(`exporting manifest ${manifest.digest}`)
  onStep(`exporting config ${id}`)
  const attested = await storeAttestations(tools, manifest, attest?.(manifest) ?? [])
  if (attested) onStep(`exporting attestation manifest ${attested.descriptor.digest}`)
  return {
    record,
    manifest,
    named: { ...manifest, ...annotated(descriptorAnnotations), platform },
    attestations: attested?.descriptor,
    blobs: [manifest.digest, id, ...layers.map(({ digest }) => digest), ...(attested?.blobs ?? [])],
  }
}

const annotated = (annotations: Annotations): { annotations?: Record<string, string> } =>
  Object.keys(annotations).length > 0 ? { annotations: { ...annotations } } : {}

/** Stores a document of ours. */
export async function putDocument(
  { context, lease }: PublishTools,
  document: unknown,
  mediaType: string,
): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(document))
  return { mediaType, digest: lease.broughtBlob(await context.content.put(bytes)), size: bytes.length }
}

/** What this host runs comes first. */
function byHost(published: readonly Published[]): Published[] {
  const rank = ({ named }: Published) =>
    platformRank(hostPlatform(), named.platform ?? hostPlatform()) ?? Number.MAX_SAFE_INTEGER
  return published.toSorted((a, b) => rank(a) - rank(b))
}
