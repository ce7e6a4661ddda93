import { fault, forbidden, invalid, messageOf, zeroTime } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import {
  chainIds,
  decodeImageConfig,
  type Descriptor,
  type Digest,
  familiarName,
  familiarString,
  formatPlatform,
  hostPlatform,
  type ImageConfig,
  isDigest,
  isNameOnly,
  maxConfigBytes,
  type Manifest,
  nameOf,
  parsePlatform,
  parseReference,
  type Platform,
  platformRank,
  type Reference,
} from '@berth/oci'
import { BrokenOffError, type FetchedManifest, type Repository, UnreachedError } from '@berth/registry'
import { leastKeptBytes } from '@berth/storage'
import { announce, type ImagesContext } from '../context.ts'
import { findImage } from '../find-image.ts'
import type { Progress } from '../images.ts'
import { blobsOfName, type ImageRecord, keyOf, type NameRecord, type StoreChange } from '../image-store.ts'
import type { ImageLease } from '../reclaimer.ts'
import { explainPull } from './explain.ts'
import { fetchDocuments, fetchTarget, type ImageDocuments } from './fetch-documents.ts'
import { readSound } from '../sound-blobs.ts'
import type { Transfers } from './transfers.ts'
import { pullLayers } from './pull-layers.ts'
import type { UnfinishedPull } from './unfinished-pulls.ts'

export interface PullRequest {
  /** A name alone stands for all its tags. */
  readonly reference: string
  readonly platform?: string
  readonly auth?: AuthConfig
  readonly signal?: AbortSignal
}

interface Pull {
  readonly repository: Repository
  readonly platform: Platform | undefined
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** Pulls one image, or all of a repository, and tells of it in Docker's words. */
export async function pullImage(
  context: ImagesContext,
  transfers: Transfers,
  request: PullRequest,
  progress: Progress,
): Promise<void> {
  const reference = parseReference(request.reference)
  if (familiarName(reference) === 'scratch') throw forbidden("'scratch' is a reserved name")
  const platform = request.platform === undefined ? undefined : parsePlatform(request.platform)
  const repository = transfers.registries.repository(reference, request.auth)
  const signal = request.signal ?? new AbortController().signal
  const pull: Pull = { repository, platform, signal, progress }
  let isNewer = false
  try {
    const wanted = isNameOnly(reference) ? await allTags(pull, reference) : [reference]
    for (const one of wanted) isNewer = (await pullReference(context, transfers, pull, one)) || isNewer
  } catch (error) {
    throw explainPull(error, reference)
  }
  const status = isNewer ? 'Downloaded newer image for' : 'Image is up to date for'
  progress({ status: `Status: ${status} ${familiarString(reference)}` })
  if (platform && !isNameOnly(reference)) warnOfPlatform(context, request.reference, platform, progress)
}

/** A manifest that is no index has no choice to offer. */
function warnOfPlatform(context: ImagesContext, reference: string, wanted: Platform, progress: Progress): void {
  try {
    findImage(context.store, reference, formatPlatform(wanted))
  } catch (error) {
    progress({ status: `WARNING: ${messageOf(error)}` })
  }
}

async function allTags({ repository, signal }: Pull, reference: Reference): Promise<Reference[]> {
  const tags = await repository.tags(signal)
  if (tags.length === 0) throw invalid(`no tags found for ${familiarName(reference)}`)
  return tags.map((tag) => ({ ...reference, tag }))
}

/** Whether it brought something that was not here. */
async function pullReference(
  context: ImagesContext,
  transfers: Transfers,
  pull: Pull,
  reference: Reference,
): Promise<boolean> {
  const { repository, progress, signal } = pull
  const id = reference.digest ?? reference.tag ?? 'latest'
  using lease = await context.reclaimer.lease()
  const target = await fetchTarget(context, repository, { reference, signal })
  progress({ status: `Pulling from ${reference.path}`, id: reference.digest ? `${nameOf(reference)}@${id}` : id })
  await transfers.gate?.admit({ reference, target: target.descriptor, repository }, signal)
  const documents = await fetchDocuments(context.content, target, pull)
  const unfinished = transfers.unfinished.open()
  const { id: imageId, isNewer } = await bringAndRecord(context, transfers, {
    ...pull,
    reference,
    lease,
    documents,
    unfinished,
  })
  progress({ status: `Digest: ${target.descriptor.digest}` })
  announce(context, 'pull', imageId, familiarName(reference), familiarString(reference))
  return isNewer
}

interface Bringing extends Pull {
  readonly reference: Reference
  readonly lease: ImageLease
  readonly documents: ImageDocuments
  readonly unfinished: UnfinishedPull
}

async function bringAndRecord(
  context: ImagesContext,
  transfers: Transfers,
  bringing: Bringing,
): Promise<{ readonly id: Digest; readonly isNewer: boolean }> {
  const { unfinished } = bringing
  try {
    const image = await bring(context, transfers, bringing)
    fault('pull: unpacked')
    const isNewer = finish(context, { ...bringing, image })
    unfinished.settle()
    return { id: image.id, isNewer }
  } catch (error) {
    if (!isWorthKeeping(context, bringing, error)) unfinished.settle()
    throw error
  }
}

/** Layers that are here when the connection or the client has gone; what a registry sent wrong is kept by nobody. */
function isWorthKeeping({ content }: ImagesContext, { documents, signal }: Bringing, error: unknown): boolean {
  const isCutShort = signal.aborted || error instanceof BrokenOffError || error instanceof UnreachedError
  const sizes = documents.manifest.layers.map(({ digest }) => content.info(digest)?.sizeBytes ?? 0)
  return isCutShort && sizes.reduce((sum, bytes) => sum + bytes, 0) >= leastKeptBytes
}

/** Stores documents and layers, and unpacks what this host can run or what was asked for alone. */
async function bring(context: ImagesContext, transfers: Transfers, bringing: Bringing): Promise<ImageRecord> {
  const { reference, documents, lease, progress, signal, repository } = bringing
  const { manifest, descriptor } = documents
  const config = await bringConfig(context, transfers, bringing)
  checkConfig(config, manifest)
  for (const document of documents.chain) await storeDocument(context, lease, document)
  const chain = chainIds(config.rootfs.diff_ids)
  if (chain.length > 0) lease.broughtChain(chain)
  const { layers } = manifest
  const unpacks = platformRank(hostPlatform(), config) !== undefined || documents.chain.length === 1
  const known = context.store.images.get(manifest.config.digest)
  const digests = [...documents.chain, ...layers.map((layer) => ({ descriptor: layer }))].map(
    (one) => one.descriptor.digest,
  )
  if (known && isHere(context, transfers, { image: known, layers })) {
    transfers.known.recordSource(digests, reference)
    return known
  }
  const expired = bringing.unfinished.note({
    blobs: [manifest.config.digest, ...digests],
    chainIds: unpacks ? chain : [],
  })
  // Freed with the lease, unless an image has it by now.
  for (const blob of expired.blobs) lease.broughtBlob({ digest: blob, sizeBytes: 0, isNew: true })
  if (expired.chainIds.length > 0) lease.broughtChain(expired.chainIds)
  const missing = layers.filter((layer) => !context.content.holds(layer))
  // Docker says nothing of the layers of an image that is here.
  const say = known && missing.length === 0 ? () => {} : progress
  const neededBytes = missing.reduce((sum, { size: bytes }) => sum + bytes, 0)
  await context.space.require(`pulling ${familiarName(reference)}`, neededBytes)
  const request = { repository, lease, layers, config, chain, unpacks, progress: say, signal }
  const layerSizes = await pullLayers(context, transfers.downloads, request)
  transfers.known.recordSource(digests, reference)
  const { mediaType, digest, size } = descriptor
  return {
    parent: '',
    lastTaggedAt: zeroTime,
    ...known,
    id: manifest.config.digest,
    config,
    manifest: { mediaType, digest, size },
    layers: layers.map(plainDescriptor),
    ...(layerSizes && { layerSizes }),
  }
}

/** Whether nothing is to be fetched: each layer is here, as it is or as what was compressed into it at a push. */
function isHere(
  { content }: ImagesContext,
  { known }: Transfers,
  { image, layers }: { readonly image: ImageRecord; readonly layers: readonly Descriptor[] },
): boolean {
  return layers.every(({ digest }, i) => {
    const [own, diffId] = [image.layers[i], image.config.rootfs.diff_ids[i]]
    if (!own || !diffId || !content.holds(own)) return false
    return own.digest === digest || known.compressedOf(diffId)?.digest === digest
  })
}

const plainDescriptor = ({ mediaType, digest, size, annotations }: Descriptor): Descriptor => ({
  mediaType,
  digest,
  size,
  ...(annotations && { annotations }),
})

async function bringConfig(
  { content }: ImagesContext,
  { downloads }: Transfers,
  { documents, repository, lease, signal }: Bringing,
): Promise<ImageConfig> {
  const { config: descriptor } = documents.manifest
  if (descriptor.size > maxConfigBytes) throw invalid(`image config: larger than ${maxConfigBytes} bytes`)
  const fetch = async () => lease.broughtBlob(await downloads.fetch({ descriptor, repository, signal }))
  await fetch()
  const here = await readSound(content, descriptor, maxConfigBytes)
  if (here) return decodeImageConfig(here)
  // What was here is not any more what it was: it comes again.
  await fetch()
  return decodeImageConfig(await content.read(descriptor.digest, maxConfigBytes))
}

function checkConfig({ os, rootfs }: ImageConfig, { layers }: Manifest): void {
  if (os !== 'linux') throw invalid(`image operating system ${JSON.stringify(os)} cannot be used on this platform`)
  const [expected, got] = [rootfs.diff_ids.length, layers.length]
  if (expected !== got) throw invalid(`invalid manifest, layers length mismatch: expected ${expected}, got ${got}`)
}

async function storeDocument({ content }: ImagesContext, lease: ImageLease, { bytes, descriptor }: FetchedManifest) {
  if (!isDigest(descriptor.digest)) throw new Error(`not a digest: ${descriptor.digest}`)
  lease.broughtBlob(await content.ingest(once(bytes), { expected: descriptor.digest, sizeBytes: bytes.length }))
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

interface Finished {
  readonly reference: Reference
  readonly image: ImageRecord
  readonly documents: ImageDocuments
}

/** Writes the image and its names in one transaction; true when the name stood for no image or another before. */
function finish(context: ImagesContext, { reference, image, documents }: Finished): boolean {
  const { store } = context
  const { mediaType, digest, size } = documents.target.descriptor
  const target: Descriptor = { mediaType, digest, size }
  const { domain, path, tag } = reference
  const references: Reference[] = [
    ...(reference.digest === undefined && tag !== undefined ? [{ domain, path, tag }] : []),
    { domain, path, digest },
  ]
  const before = references.map((one) => store.names.get(keyOf(one)))
  const names = references.map((one, i) => nameRecord(one, target, image, before[i]))
  store.commit([
    { kind: 'putImage', image: refreshed(context, image) },
    ...names.map((name): StoreChange => ({ kind: 'putName', name })),
  ])
  context.reclaimer.offerBlobs(before.flatMap((name) => (name ? blobsOfName(name) : [])))
  const [first] = before
  return !first?.images.includes(image.id)
}

/** An image that was here may have been tagged meanwhile. */
function refreshed({ store }: ImagesContext, image: ImageRecord): ImageRecord {
  const now = store.images.get(image.id)
  return now ? { ...image, parent: now.parent, lastTaggedAt: now.lastTaggedAt } : image
}

/** Other platforms of the same index stay under the name; this host's own comes first. */
function nameRecord(
  reference: Reference,
  target: Descriptor,
  image: ImageRecord,
  before: NameRecord | undefined,
): NameRecord {
  const same = before?.target.digest === target.digest ? before : undefined
  const siblings = same?.images.filter((id) => id !== image.id) ?? []
  const isOwn = platformRank(hostPlatform(), image.config) !== undefined
  const images: Digest[] = isOwn ? [image.id, ...siblings] : [...siblings, image.id]
  return { ...same, reference, target, images }
}
