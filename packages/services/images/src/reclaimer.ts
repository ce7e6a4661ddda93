import { fault, isKind, type Logger, messageOf } from '@berth/base'
import type { Digest } from '@berth/oci'
import type { ContentStore, GcRoots, IngestedBlob, Leases, Snapshots } from '@berth/storage'
import { setImmediate } from 'node:timers/promises'
import { blobsOfName, chainIdsOf, type ImageRecord, type ImageStore } from './image-store.ts'

/** What the images keep alive, for whoever collects garbage. */
export interface ImageRoots {
  readonly blobs: ReadonlySet<Digest>
  readonly chainIds: ReadonlySet<Digest>
}

/** Everything that the store's images and names refer to. */
export function imageRoots(store: ImageStore): ImageRoots {
  const images = [...store.images.values()]
  const targets = [...store.names.values()].flatMap(blobsOfName)
  return { blobs: new Set([...targets, ...images.flatMap(blobsOf)]), chainIds: new Set(images.flatMap(chainIdsOf)) }
}

/** All that either keeps. */
export const joinRoots = (one: ImageRoots, other: GcRoots): ImageRoots => ({
  blobs: one.blobs.union(new Set(other.blobs)),
  chainIds: one.chainIds.union(new Set(other.chainIds)),
})

const blobsOf = (image: ImageRecord): Digest[] => [
  image.id,
  image.manifest.digest,
  ...image.layers.map(({ digest }) => digest),
]

/** Held while work is in flight. What it brought and no image refers to at its end is freed, so failures clean up. */
export interface ImageLease extends Disposable {
  broughtBlob(blob: IngestedBlob): Digest
  /** Chain ids of unpacked layers, base first. */
  broughtChain(chain: readonly Digest[]): void
}

export interface ReclaimerOptions {
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly logger: Logger
  /** What stays: at least what the images refer to. */
  readonly roots: () => ImageRoots
  /** Where the collector looks for work in flight. */
  readonly leases?: Leases
}

/**
 * Frees what removed images leave behind. Work in flight (a load, an import, a commit) holds a lease: it may rely on
 * content that no image names yet, so that nothing is freed before the last lease is given back.
 */
export class Reclaimer {
  readonly #roots: () => ImageRoots
  readonly #content: ContentStore
  readonly #snapshots: Snapshots
  readonly #logger: Logger
  readonly #storageLeases: Leases | undefined
  readonly #blobs = new Set<Digest>()
  readonly #chains: Digest[][] = []
  /** What others than images keep. */
  readonly #keepers: (() => GcRoots)[] = []
  #leases = 0
  #sweep: Promise<void> = Promise.resolve()

  constructor({ content, snapshots, logger, roots, leases }: ReclaimerOptions) {
    this.#roots = roots
    this.#content = content
    this.#snapshots = snapshots
    this.#logger = logger
    this.#storageLeases = leases
  }

  /** Asks `query` before anything is freed. */
  spare(query: () => GcRoots): void {
    this.#keepers.push(query)
  }

  /** The unpacked layers that stay whatever becomes of images: those that others keep, and all beneath them. */
  sparedLayers(): ReadonlySet<Digest> {
    const parents = new Map(this.#snapshots.listCommitted().map(({ chainId, parent }) => [chainId, parent]))
    const spared = new Set<Digest>()
    for (const chainId of this.#others().flatMap(({ chainIds }) => [...chainIds])) {
      for (let next: Digest | undefined = chainId; next && !spared.has(next); next = parents.get(next)) spared.add(next)
    }
    return spared
  }

  /** Waits for a sweep in progress, so that content seen under the lease stays. */
  async lease(): Promise<ImageLease> {
    this.#leases++
    await this.#sweep
    const held = this.#storageLeases?.acquire()
    return {
      broughtBlob: ({ digest, isNew }) => {
        held?.keep(digest)
        if (isNew) this.#blobs.add(digest)
        return digest
      },
      broughtChain: (chain) => {
        held?.keep(...chain)
        this.#chains.push(chain.toReversed())
      },
      [Symbol.dispose]: () => {
        held?.[Symbol.dispose]()
        this.#leases--
        this.#start()
      },
    }
  }

  /** Blobs that may have lost their last user. */
  offerBlobs(blobs: Iterable<Digest>): void {
    for (const blob of blobs) this.#blobs.add(blob)
  }

  /** Frees what is only `image`'s, and resolves when that is done; at once when a lease defers it. */
  async reclaim(image: ImageRecord): Promise<void> {
    this.offerBlobs(blobsOf(image))
    this.#chains.push(chainIdsOf(image).toReversed())
    this.#start()
    await this.#sweep
  }

  /** Frees of these what nothing else keeps; unpacked layers by their chain ids, base first. As `reclaim()` otherwise. */
  async free(blobs: Iterable<Digest>, chainIds: readonly Digest[]): Promise<void> {
    this.offerBlobs(blobs)
    this.#chains.push(...chainIds.toReversed().map((chainId) => [chainId]))
    this.#start()
    await this.#sweep
  }

  /** Resolves when no sweep is under way. */
  idle(): Promise<void> {
    return this.#sweep
  }

  #start(): void {
    if (this.#leases > 0 || this.#isDone()) return
    this.#sweep = this.#sweep.then(() => this.#run())
  }

  #isDone(): boolean {
    return this.#blobs.size === 0 && this.#chains.length === 0
  }

  async #run(): Promise<void> {
    // One run frees what many removals have left; to ask what stays is to go through everything.
    if (this.#leases > 0 || this.#isDone()) return
    const blobs = [...this.#blobs]
    const chains = this.#chains.splice(0)
    this.#blobs.clear()
    const roots = this.#kept()
    for (const chain of chains) {
      await this.#dropChain(chain, roots)
      // Layers are renamed and struck from the records at once, without a wait of their own.
      await setImmediate()
    }
    for (const blob of blobs) {
      if (roots.blobs.has(blob)) continue
      await this.#attempt(blob, () => this.#content.remove(blob))
      fault('remove image: blob')
    }
  }

  /** Of images, of others, and of work in flight. */
  #kept(): ImageRoots {
    return this.#others().reduce(joinRoots, this.#roots())
  }

  #others(): GcRoots[] {
    const held = [...(this.#storageLeases?.kept() ?? [])]
    return [...this.#keepers.map((query) => query()), { blobs: held, chainIds: held }]
  }

  /** Top first; ends at the first layer that an image or a container still stands on. */
  async #dropChain(chain: readonly Digest[], roots: ImageRoots): Promise<void> {
    for (const chainId of chain) {
      if (roots.chainIds.has(chainId)) return
      if (!this.#snapshots.has(chainId)) continue
      const dropped = await this.#attempt(chainId, () => this.#snapshots.removeCommitted(chainId))
      if (!dropped) return
      fault('remove image: layer')
    }
  }

  /** What cannot be freed now is left to the collector: a removal has been answered by then. */
  async #attempt(what: Digest, work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      if (!isKind(error, 'conflict')) this.#logger.warn({ what, error: messageOf(error) }, 'images: could not free')
      return false
    }
  }
}
