import { type Logger, SharedWork, unavailable } from '@berth/base'
import type { Database } from '@berth/database'
import type { Events } from '@berth/events'
import type { Digest } from '@berth/oci'
import type { Registries } from '@berth/registry'
import type { ContentStore, DiskSpace, GcRoots, Leases, Snapshots } from '@berth/storage'
import { Readable } from 'node:stream'
import { commitImage } from './commit-image.ts'
import { createImage, imageLayers } from './create-image.ts'
import type { ImagesContext } from './context.ts'
import { findImage } from './find-image.ts'
import { imageHistory } from './image-history.ts'
import { ImageStore } from './image-store.ts'
import type { Images, ImageUse } from './images.ts'
import { importImage } from './import-image.ts'
import { listImages } from './list-images.ts'
import { listPlatforms } from './list-platforms.ts'
import { BlobDownloads } from './pull/blob-downloads.ts'
import { freeExpired } from './pull/free-expired.ts'
import type { PullGate } from './pull/gate.ts'
import { TransferSlots } from './pull/transfer-slots.ts'
import type { Transfers } from './pull/transfers.ts'
import { UnfinishedPulls } from './pull/unfinished-pulls.ts'
import { presentImage } from './present-image.ts'
import { isForAll, pruneImages } from './prune-images.ts'
import { askDistribution, checkCredentials, searchRegistry } from './registry/ask-registry.ts'
import { openRepository } from './registry/open-repository.ts'
import { imageRoots, type ImageRoots, joinRoots, Reclaimer } from './reclaimer.ts'
import { removeImage } from './remove-image.ts'
import { planSave, saveImages } from './save-images.ts'
import { TransferStore } from './transfer-store.ts'
import { tagImage } from './tag-image.ts'
import { unpackImage } from './unpack-image.ts'

export interface ImagesOptions {
  readonly database: Database
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly events: Events
  readonly logger: Logger
  /** The storage's, so that its collector spares work in flight. */
  readonly leases?: Leases
  /** The storage's; without it nothing is refused for want of space. */
  readonly space?: Pick<DiskSpace, 'require'>
  /** Absent: there is no network. */
  readonly registries?: Registries
  /** What may be pulled; absent: everything. */
  readonly gate?: PullGate
  /** Blobs under way at a time, asked whenever one begins. Default 3 and 5, as Docker's. */
  readonly concurrency?: () => { readonly downloads: number; readonly uploads: number }
}

export interface OpenImages extends Images, AsyncDisposable {
  /** For `Storage.addRoots()`: what must not be collected. */
  gcRoots(): ImageRoots
  /** What `query` tells is not freed with the images that have it too. */
  spare(query: () => GcRoots): void
  /** Images, whatever number of names they have. */
  readonly count: number
}

const boundless = { require: async () => {} }
const nobody = (): readonly ImageUse[] => []

/** Opens the image service on its tables; everything that is listed or resolved is held in memory. */
export async function openImages(options: ImagesOptions): Promise<OpenImages> {
  const { database, content, snapshots, events, logger, leases, space = boundless } = options
  const store = new ImageStore(database)
  const unfinished = new UnfinishedPulls(database)
  const roots = () => joinRoots(imageRoots(store), onlyPresent(unfinished.roots(), options))
  const reclaimer = new Reclaimer({ content, snapshots, logger, roots, ...(leases && { leases }) })
  let uses: () => readonly ImageUse[] = nobody
  const context: ImagesContext = { store, content, snapshots, events, logger, reclaimer, space, uses: () => uses() }
  const known = new TransferStore(database)
  known.sweep(...keptByTransfers(store))
  const transfers = openTransfers(options, { known, unfinished })
  const free = async (images: Parameters<Reclaimer['reclaim']>[0][]) => {
    await Promise.all(images.map((image) => reclaimer.reclaim(image)))
  }
  return {
    resolve: async (reference, platform) => {
      const image = findImage(store, reference, platform)
      return presentImage(image, store.namesOf(image.id))
    },
    ensureUnpacked: async ({ id }) => {
      const { layerSizes } = await unpackImage(context, findImage(store, id))
      // Read again: it may have been tagged or removed meanwhile.
      const image = findImage(store, id)
      if (!image.layerSizes && layerSizes) store.commit([{ kind: 'putImage', image: { ...image, layerSizes } }])
    },
    list: async (query) => listImages(store, query),
    platforms: (image) => listPlatforms(context, image),
    graphDriver: ({ chainId }) => {
      const isUnpacked = chainId !== undefined && snapshots.has(chainId)
      return { Name: snapshots.driver, Data: isUnpacked ? snapshots.directories(chainId) : null }
    },
    history: async (reference) => imageHistory(store, reference),
    tag: async (source, target) => tagImage(context, source, target),
    remove: async (reference, options) => {
      const { items, images } = removeImage(context, reference, options)
      await free(images)
      return items
    },
    prune: async (filters) => {
      const expiredBytes = isForAll(filters) ? await freeExpired(context, unfinished) : 0
      const { deleted, reclaimedBytes, images } = await pruneImages(context, filters, expiredBytes)
      await free(images)
      return { deleted, reclaimedBytes }
    },
    load: async (archive, options, progress) => {
      const { loadImages } = await import('./load/load-images.ts')
      await loadImages(context, archive, options, progress)
    },
    pull: async (request, progress) => {
      const { pullImage } = await import('./pull/pull-image.ts')
      await pullImage(context, transfers(), request, progress)
    },
    push: async (request, progress) => {
      const { pushImage } = await import('./push/push-image.ts')
      await pushImage(context, transfers(), request, progress)
    },
    checkCredentials: (auth, signal) => checkCredentials(transfers(), auth, signal),
    distribution: (name, question) => askDistribution(transfers(), name, question),
    search: (wish) => searchRegistry(transfers(), wish),
    openRepository: (request) => openRepository(content, transfers(), request),
    save: async (references, options) =>
      Readable.from(saveImages(context, planSave(store, references, options)), { objectMode: false }),
    importRootfs: (request, progress) => importImage(context, request, { progress, downloader: options.registries }),
    commit: (request) => commitImage(context, request),
    layersOf: (image) => imageLayers(context, image),
    create: (request) => createImage(context, request),
    publish: async (request) => {
      const { publishImages } = await import('./publish/publish-images.ts')
      return await publishImages(context, known, request)
    },
    pack: async (request) => {
      const { packImages } = await import('./publish/publish-images.ts')
      return await packImages(context, known, request)
    },
    onUseQuery: (query) => {
      uses = query
    },
    gcRoots: roots,
    spare: (query) => reclaimer.spare(query),
    get count() {
      return store.images.size
    },
    [Symbol.asyncDispose]: () => reclaimer.idle(),
  }
}

function openTransfers(
  { content, registries, gate, concurrency }: ImagesOptions,
  records: Pick<Transfers, 'known' | 'unfinished'>,
): () => Transfers {
  const slots = new TransferSlots(() => concurrency?.().downloads ?? 3)
  const uploadSlots = new TransferSlots(() => concurrency?.().uploads ?? 5)
  const downloads = new BlobDownloads({ content, slots })
  const layerPushes: Transfers['layerPushes'] = new SharedWork()
  return () => {
    if (!registries) throw unavailable('this engine reaches no registry')
    return { registries, downloads, uploadSlots, layerPushes, ...records, ...(gate && { gate }) }
  }
}

/** What was noted may not have come. */
function onlyPresent({ blobs, chainIds }: ImageRoots, { content, snapshots }: ImagesOptions): ImageRoots {
  return {
    blobs: new Set([...blobs].filter((digest) => content.info(digest))),
    chainIds: new Set([...chainIds].filter((chainId) => snapshots.has(chainId))),
  }
}

/** Blobs and diff ids of which it is worth knowing where they are. */
function keptByTransfers(store: ImageStore): [blobs: Set<Digest>, diffIds: Set<Digest>] {
  const images = [...store.images.values()]
  const diffIds = new Set(images.flatMap(({ config }) => config.rootfs.diff_ids))
  return [new Set(imageRoots(store).blobs), diffIds]
}
