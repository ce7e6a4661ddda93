import { codeOf, isKind, type Logger } from '@berth/base'
import type { Database } from '@berth/database'
import type { Digest } from '@berth/oci'
import { stat } from 'node:fs/promises'
import { checkBlobs } from './check/check-blobs.ts'
import type { Found } from './check/finding.ts'
import type { ContentStore } from './content-store.ts'
import type { TreeCopies } from './copies/copies.ts'
import { defaultSpaceFloor, DiskSpace, type SpaceFloor } from './disk-space.ts'
import { Leases } from './gc/leases.ts'
import { type GcRoots, planSweep, type SweepInput } from './gc/plan-sweep.ts'
import { openContentStore } from './open-content-store.ts'
import type { Snapshots } from './snapshots.ts'
import type { Trees } from './trees/trees.ts'
import { openSnapshots, type OwnedSnapshots, type SnapshotsOptions } from './snapshots/open-snapshots.ts'

/** What the collector freed. */
export interface Collected {
  readonly blobBytes: number
  /** Of unpacked layers, which is what images are told to take. */
  readonly layerBytes: number
}

/** Blobs, snapshots, and what keeps them. */
export interface Storage extends AsyncDisposable {
  readonly content: ContentStore
  readonly snapshots: Snapshots
  readonly copies: TreeCopies
  readonly leases: Leases
  readonly trees: Trees
  /** Asked before work that writes much: loads, pulls, builds. */
  readonly space: DiskSpace
  /** Registers somebody who refers to blobs and snapshots; asked at each collection. */
  addRoots(query: () => GcRoots): Disposable
  /** Frees what no root reaches; resolves to what that was. One at a time. */
  collect(): Promise<Collected>
  /**
   * Holds everything against the records: blobs against their digests, references, directories, mounts. `isInUse`: who
   * may have an active snapshot mounted. Nothing that anything refers to has a remedy that removes it.
   */
  check(isInUse: (key: string) => boolean, signal: AbortSignal): AsyncIterable<Found>
}

export interface StorageOptions extends SnapshotsOptions {
  readonly logger: Logger
  readonly database: Database
  /** What is to stay free of the disk, asked at each use. */
  readonly spaceFloor?: () => SpaceFloor
}

/** Opens the content store and the snapshots below `root`, sweeping what a crash has left. */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const digestOf = (path: string, algorithm: string) => snapshots.digestOf(path, algorithm)
  const content = await openContentStore({ ...options, digestOf })
  const snapshots = openSnapshots(options)
  const leases = new Leases()
  const queries = new Set<() => GcRoots>()
  let collecting: Promise<unknown> = Promise.resolve()
  const collect = (): Promise<Collected> => {
    const roots = () => [...queries].map((query) => query())
    const run = collecting.then(() => collectGarbage({ content, snapshots, leases, roots }))
    collecting = run.catch(() => {})
    return run
  }
  return {
    content,
    snapshots,
    copies: snapshots,
    leases,
    trees: snapshots.trees,
    space: new DiskSpace(options.root, options.spaceFloor ?? (() => defaultSpaceFloor)),
    addRoots(query) {
      queries.add(query)
      return { [Symbol.dispose]: () => void queries.delete(query) }
    },
    collect,
    check: (isInUse, signal) =>
      checkStorage({ content, snapshots, leases, roots: () => [...queries].map((query) => query()) }, collect, {
        isInUse,
        signal,
      }),
    async [Symbol.asyncDispose]() {
      await collecting
      await snapshots[Symbol.asyncDispose]()
    },
  }
}

interface Collection {
  readonly content: ContentStore
  readonly snapshots: OwnedSnapshots
  readonly leases: Leases
  readonly roots: () => GcRoots[]
}

async function collectGarbage(collection: Collection): Promise<Collected> {
  const { content, snapshots } = collection
  const blobs = await listBlobs(content)
  // From here to the plan nothing waits: roots and leases are of one moment.
  const plan = planSweep({ ...sweepInput(collection), blobs })
  let [blobBytes, layerBytes] = [0, 0]
  for (const digest of plan.blobs) blobBytes += await removeBlob(content, digest)
  for (const chainId of plan.snapshots) layerBytes += await removeSnapshot(snapshots, chainId)
  return { blobBytes, layerBytes }
}

function sweepInput({ snapshots, leases, roots }: Collection): Omit<SweepInput, 'blobs'> {
  const kept = [...leases.kept()]
  const own = { blobs: kept, chainIds: [...kept, ...snapshots.activeParents()] }
  const committed = snapshots.listCommitted().flatMap(({ chainId }) => snapshots.committed(chainId) ?? [])
  return { snapshots: committed, roots: [...roots(), own], olderThanMs: leases.oldestMs() }
}

interface CheckOptions {
  readonly isInUse: (key: string) => boolean
  readonly signal: AbortSignal
}

async function* checkStorage(
  collection: Collection,
  collect: () => Promise<unknown>,
  { isInUse, signal }: CheckOptions,
): AsyncGenerator<Found> {
  const { content, snapshots, roots } = collection
  yield* snapshots.check(isInUse)
  yield* checkBlobs({ content, roots }, signal)
  const found = await listBlobs(content)
  const { blobs, snapshots: layers } = planSweep({ ...sweepInput(collection), blobs: found })
  if (blobs.length + layers.length === 0) return
  const subject = `${blobs.length} blobs, ${layers.length} layers`
  yield {
    finding: { kind: 'garbage', subject, message: 'nothing refers to them' },
    remedy: { text: 'collected', repair: async () => void (await collect()) },
  }
}

async function listBlobs(content: ContentStore): Promise<{ digest: Digest; modifiedMs: number }[]> {
  const blobs: { digest: Digest; modifiedMs: number }[] = []
  for (const { digest } of content.list()) {
    const modifiedMs = await modifiedMsOf(content.pathOf(digest))
    if (modifiedMs !== undefined) blobs.push({ digest, modifiedMs })
  }
  return blobs
}

async function modifiedMsOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function removeBlob(content: ContentStore, digest: Digest): Promise<number> {
  const bytes = content.info(digest)?.sizeBytes ?? 0
  await content.remove(digest)
  return bytes
}

/** 0 when somebody began to stand on it meanwhile. */
async function removeSnapshot(snapshots: OwnedSnapshots, chainId: Digest): Promise<number> {
  const bytes = snapshots.committed(chainId)?.sizeBytes ?? 0
  try {
    await snapshots.removeCommitted(chainId)
    return bytes
  } catch (error) {
    if (isKind(error, 'conflict')) return 0
    throw error
  }
}
