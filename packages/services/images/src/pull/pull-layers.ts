import type { Descriptor, Digest, ImageConfig } from '@berth/oci'
import type { Repository } from '@berth/registry'
import { verifyDiffId } from '../add-layer.ts'
import type { ImagesContext } from '../context.ts'
import type { Progress } from '../images.ts'
import type { ImageLease } from '../reclaimer.ts'
import { blamingDisk } from '../sound-blobs.ts'
import type { BlobDownloads, BlobProgress } from './blob-downloads.ts'
import { LayerReport } from './pull-progress.ts'

export interface LayersRequest {
  readonly repository: Repository
  readonly lease: ImageLease
  readonly layers: readonly Descriptor[]
  readonly config: ImageConfig
  /** Chain ids of the layers, base first. */
  readonly chain: readonly Digest[]
  /** Foreign platforms are kept packed. */
  readonly unpacks: boolean
  readonly progress: Progress
  readonly signal: AbortSignal
}

/** Brings all layers, side by side, and unpacks each as soon as it and the one below are there. Returns their sizes. */
export async function pullLayers(
  context: ImagesContext,
  downloads: BlobDownloads,
  request: LayersRequest,
): Promise<number[] | undefined> {
  const failed = new AbortController()
  const signal = AbortSignal.any([request.signal, failed.signal])
  const reports = request.layers.map((layer) => new LayerReport(layer, request.progress))
  announceLayers(context, request, reports)
  /** Resolves when the unpacking of the layer below has begun, so that it can be stood on. */
  let below: Promise<void> = Promise.resolve()
  const works = request.layers.map((layer, i) => {
    const begun = Promise.withResolvers<void>()
    const under = below
    below = begun.promise
    begun.promise.catch(() => {})
    const work = pullLayer(context, downloads, {
      ...request,
      signal,
      layer,
      i,
      report: reports[i],
      under,
      begun: begun.resolve,
    })
    work.then(() => begun.resolve(), begun.reject)
    return work
  })
  try {
    const sizes = await Promise.all(works)
    return request.unpacks ? sizes : undefined
  } catch (error) {
    failed.abort(error)
    await Promise.allSettled(works)
    throw error
  }
}

function announceLayers({ content }: ImagesContext, { layers }: LayersRequest, reports: readonly LayerReport[]): void {
  for (const [i, layer] of layers.entries()) {
    reports[i]?.say(content.holds(layer) ? 'Already exists' : 'Pulling fs layer')
  }
}

interface OneLayer extends LayersRequest {
  readonly layer: Descriptor
  readonly i: number
  readonly report: LayerReport | undefined
  readonly under: Promise<void>
  readonly begun: () => void
}

async function pullLayer(context: ImagesContext, downloads: BlobDownloads, one: OneLayer): Promise<number> {
  const { layer, repository, lease, signal, report, unpacks } = one
  const isHere = context.content.holds(layer)
  const { promise: fetched, resolve, reject } = Promise.withResolvers<void>()
  fetched.catch(() => {})
  /** Begins when the blob is known to be right, while it is still being written to the disk. */
  let unpacking: Promise<number> | undefined
  const begin = (path: string): Promise<number> => {
    unpacking ??= unpack(context, one, { path, fetched, report: isHere ? undefined : report })
    unpacking.catch(() => {})
    return unpacking
  }
  const onProgress = (progress: BlobProgress) => {
    if (report) tell(report, progress)
    if (progress.phase === 'verified' && unpacks) void begin(progress.path)
  }
  try {
    lease.broughtBlob(await downloads.fetch({ descriptor: layer, repository, signal, onProgress }))
    resolve()
    const sizeBytes = unpacks ? await begin(context.content.pathOf(layer.digest)) : 0
    if (!isHere || !unpacks) report?.say(isHere ? 'Already exists' : 'Pull complete')
    return sizeBytes
  } catch (error) {
    reject(error)
    // Its end is waited for: what it has brought by then is the lease's.
    await unpacking?.catch(() => {})
    throw error
  }
}

function tell(report: LayerReport, progress: BlobProgress): void {
  switch (progress.phase) {
    case 'waiting':
      return report.say('Waiting')
    case 'downloading':
      return report.bar('Downloading', progress.currentBytes)
    case 'retrying':
      return report.retrying(progress.secondsLeft)
    case 'verifying':
      return report.say('Verifying Checksum')
    case 'verified':
      return report.say('Download complete')
  }
}

interface Unpacking {
  readonly path: string
  /** Resolves when the blob is in the store. */
  readonly fetched: Promise<void>
  readonly report: LayerReport | undefined
}

async function unpack(context: ImagesContext, one: OneLayer, { path, fetched, report }: Unpacking): Promise<number> {
  const { content, snapshots } = context
  const { layer, i, chain, config, under, begun, signal } = one
  const [chainId, diffId] = [chain[i], config.rootfs.diff_ids[i]]
  if (!chainId || !diffId) throw new Error(`no chain id for layer ${i}`)
  // A blob that is lost after all waits for nobody.
  await Promise.race([under, fetched.then(() => under)])
  if (snapshots.has(chainId)) {
    begun()
    await fetched
    if (!isKnown(context, one, diffId)) await verifyDiffId(content, layer.digest, diffId)
    return await snapshots.usage(chainId)
  }
  report?.bar('Extracting', 0)
  const source = { path, movedTo: content.pathOf(layer.digest), diffId, blobDigest: layer.digest }
  const unpacked = blamingDisk(content, layer.digest, () => snapshots.unpack(chain[i - 1], source, signal))
  begun()
  const { sizeBytes } = await unpacked
  report?.bar('Extracting', layer.size)
  return sizeBytes
}

/** Whether an image that is here says that this blob has this diff id: it was verified then. */
function isKnown({ store }: ImagesContext, { layer, i }: OneLayer, diffId: Digest): boolean {
  return store.images
    .values()
    .some(({ layers, config }) => layers[i]?.digest === layer.digest && config.rootfs.diff_ids[i] === diffId)
}
