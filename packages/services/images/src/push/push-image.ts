import { fault, internal } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import {
  type Descriptor,
  type Digest,
  familiarName,
  familiarString,
  isNameOnly,
  maxManifestBytes,
  nameOf,
  parseReference,
  type Reference,
} from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { ImagesContext } from '../context.ts'
import type { Progress } from '../images.ts'
import type { ImageRecord } from '../image-store.ts'
import { blamingDisk } from '../sound-blobs.ts'
import { explainPush } from '../pull/explain.ts'
import { LayerReport } from '../pull/pull-progress.ts'
import type { Transfers } from '../pull/transfers.ts'
import {
  buildPushedManifest,
  namesToPush,
  type PlannedAttachment,
  type PlannedImage,
  planLayers,
  type PlannedLayer,
  type PlannedTag,
  planTag,
  type PushedManifest,
} from './plan-push.ts'
import { pushLayer, type PushProgress } from './push-layer.ts'

export interface PushRequest {
  /** A name alone stands for all its tags. */
  readonly reference: string
  readonly platform?: string
  readonly auth?: AuthConfig
  readonly signal?: AbortSignal
}

interface Push {
  readonly context: ImagesContext
  readonly transfers: Transfers
  readonly repository: Repository
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Pushes one tag, or all of a name, and tells of it in Docker's words. */
export async function pushImage(
  context: ImagesContext,
  transfers: Transfers,
  request: PushRequest,
  progress: Progress,
): Promise<void> {
  const reference = parseReference(request.reference)
  const repository = transfers.registries.repository(reference, request.auth)
  const signal = request.signal ?? new AbortController().signal
  const push = { context, transfers, repository, progress, signal }
  // What is asked for by platform is judged before anything is said.
  if (request.platform !== undefined && !isNameOnly(reference)) await plansOf(push, reference, request.platform)
  progress({ status: `The push refers to repository [${nameOf(reference)}]` })
  try {
    for (const tag of await plansOf(push, reference, request.platform)) await pushTag(push, tag)
  } catch (error) {
    throw explainPush(error)
  }
  context.events.publish('image', 'push', familiarString(reference), { name: familiarName(reference) })
}

function plansOf({ context }: Push, reference: Reference, platform: string | undefined): Promise<PlannedTag[]> {
  return Promise.all(namesToPush(context.store, reference).map((name) => planTag(context, name, platform)))
}

async function pushTag(push: Push, planned: PlannedTag): Promise<void> {
  const { reference, images, attached = [], index, insteadOf, blobs } = planned
  const { context, repository, progress, signal } = push
  // What is being sent must outlive a removal of the image.
  using lease = await context.reclaimer.lease()
  const tag = reference.tag ?? 'latest'
  const manifests: PushedManifest[] = []
  for (const image of images) manifests.push(await pushOne(push, image))
  for (const one of attached) manifests.push(await pushAttached(push, one))
  fault('push: layers')
  const [first] = manifests
  if (!first) throw new Error(`nothing to push for ${familiarString(reference)}`)
  for (const { descriptor, bytes } of index ? manifests : []) {
    await repository.putManifest(descriptor.digest, { mediaType: descriptor.mediaType, bytes }, signal)
  }
  const top = index ? await readStored(context, index) : first
  const { mediaType, digest, size } = top.descriptor
  await repository.putManifest(tag, { mediaType, bytes: top.bytes }, signal)
  lease.broughtBlob(await context.content.put(top.bytes))
  const records = images.map(({ image }) => image)
  remember(push, { reference, target: { mediaType, digest, size }, images: records, blobs: index ? blobs : [] })
  if (insteadOf) progress(insteadNote(insteadOf, top.descriptor))
  progress({ status: `${tag}: digest: ${digest} size: ${size}` })
  progress({ progressDetail: {}, aux: { Tag: tag, Digest: digest, Size: size } })
}

/** Layers and config of one image, and the manifest that names them as they went. */
async function pushOne(push: Push, planned: PlannedImage): Promise<PushedManifest> {
  const { context, transfers, progress } = push
  const layers = planLayers(planned, {
    isHere: (digest) => context.content.info(digest) !== undefined,
    isFromRegistry: transfers.known.hasSource(planned.manifest.digest),
  })
  const reports = layers.map(({ diffId, stored: { size } }) => new LayerReport({ digest: diffId, size }, progress))
  for (const report of reports.toReversed()) report.say('Preparing')
  const descriptors = await allOrNone(push.signal, (signal) =>
    layers.map((layer, i) => pushOneLayer({ ...push, signal }, layer, reports[i] as LayerReport)),
  )
  const config = await pushBlob(push, planned.image.id)
  const isSame = planned.layers.every(({ digest }, i) => digest === descriptors[i]?.digest)
  return isSame ? await readStored(context, planned.manifest) : buildPushedManifest(config, descriptors)
}

/** A manifest that is no image's, after what it leads to. */
async function pushAttached(push: Push, { manifest, blobs }: PlannedAttachment): Promise<PushedManifest> {
  for (const { digest } of blobs) await pushBlob(push, digest)
  return await readStored(push.context, manifest)
}

/** The first failure stops the others, and is told when they have stopped. */
async function allOrNone<T>(outer: AbortSignal, begin: (signal: AbortSignal) => Promise<T>[]): Promise<T[]> {
  const failed = new AbortController()
  const works = begin(AbortSignal.any([outer, failed.signal]))
  try {
    return await Promise.all(works)
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(works)
    throw error
  }
}

/** Pushes of one layer to one repository at the same time are one. */
async function pushOneLayer(push: Push, layer: PlannedLayer, report: LayerReport): Promise<Descriptor> {
  const { context, transfers, repository, signal } = push
  const { known, uploadSlots: slots } = transfers
  const { domain, path } = repository.name
  const { descriptor, outcome } = await transfers.layerPushes.join(
    `${domain}/${path}@${layer.stored.digest}`,
    (own, tell) => pushLayer({ content: context.content, known, slots, repository, signal: own }, layer, tell),
    {
      signal,
      onProgress: (step) => tell(report, step),
    },
  )
  report.say(outcome)
  return descriptor
}

function tell(report: LayerReport, step: PushProgress): void {
  switch (step.phase) {
    case 'waiting':
      return report.say('Waiting')
    case 'retrying':
      return report.retrying(step.secondsLeft)
    case 'pushing':
      return report.bar('Pushing', step.currentBytes)
  }
}

/** Sees to it that the repository has a small blob of the store. */
async function pushBlob(
  { context, repository, signal }: Push,
  digest: Digest,
): Promise<{ digest: Digest; size: number }> {
  const { content } = context
  const info = content.info(digest)
  if (!info) throw internal(`blob ${digest} is not in the store`)
  const { sizeBytes } = info
  if (await repository.hasBlob(digest, signal)) return { digest, size: sizeBytes }
  const open = (start: number) => content.open(digest, { start })
  await blamingDisk(content, digest, () => repository.uploadBlob({ kind: 'blob', digest, sizeBytes, open }, signal))
  return { digest, size: sizeBytes }
}

async function readStored(
  { content }: ImagesContext,
  { mediaType, digest, size }: Descriptor,
): Promise<PushedManifest> {
  return { descriptor: { mediaType, digest, size }, bytes: await content.read(digest, maxManifestBytes) }
}

interface Pushed {
  readonly reference: Reference
  readonly target: Descriptor
  readonly images: readonly ImageRecord[]
  readonly blobs: readonly Digest[] | undefined
}

/** The image is known by the digest that it has there, and the manifest to be a registry's. */
function remember({ context, transfers }: Push, { reference, target, images, blobs = [] }: Pushed): void {
  const { domain, path } = reference
  const [image] = images
  if (!image) return
  transfers.known.recordSource([target.digest], { domain, path })
  const name = { reference: { domain, path, digest: target.digest }, target, images: images.map(({ id }) => id), blobs }
  // It may have been removed meanwhile: then there is nothing to be known by.
  if (context.store.images.has(image.id)) context.store.commit([{ kind: 'putName', name }])
}

/** What Docker's CLI makes a note of. */
const insteadNote = (originalIndex: Descriptor, selectedManifest: Descriptor) => ({
  progressDetail: {},
  aux: { manifestPushedInsteadOfIndex: true, originalIndex, selectedManifest },
})
