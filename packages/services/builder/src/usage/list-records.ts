import { shortId } from '@berth/base'
import { chainIds, type Digest } from '@berth/oci'
import type { CacheRecord } from '../builder.ts'
import { cacheId } from '../cache/build-cache.ts'
import type { Context } from '../context.ts'

type Needed = Pick<Context, 'cache' | 'mounts' | 'keptContexts' | 'images' | 'storage'>

/** What the cache holds, the last used first: steps that made a layer, mounts, and clients' files. */
export async function listRecords(context: Needed): Promise<CacheRecord[]> {
  const { mounts, storage } = context
  await mounts.measure((directory) => storage.trees.usage(directory))
  const records = [...(await stepRecords(context)), ...mountRecords(context), ...contextRecords(context)]
  return records.toSorted((a, b) => (a.usedAt < b.usedAt ? 1 : -1))
}

async function stepRecords({ cache, images, storage }: Needed): Promise<CacheRecord[]> {
  const steps = cache.all().flatMap((step) => (step.layer ? [{ ...step, layer: step.layer }] : []))
  const shared = await layersOfImages(images)
  const ids = new Map(steps.map((step) => [step.layer.chainId, cacheId(step)]))
  const parents = new Map(storage.snapshots.listCommitted().map(({ chainId, parent }) => [chainId, parent]))
  const parentOf = (chainId: Digest) => ids.get(parents.get(chainId) as Digest) ?? []
  return steps.map((step) => ({
    id: cacheId(step),
    type: 'regular',
    parents: [parentOf(step.layer.chainId)].flat(),
    description: step.description,
    sizeBytes: step.layer.sizeBytes,
    createdAt: step.createdAt,
    usedAt: step.usedAt,
    uses: step.uses,
    isInUse: cache.isHeld(step.key),
    isShared: shared.has(step.layer.chainId),
    isMutable: false,
  }))
}

async function layersOfImages(images: Context['images']): Promise<Set<Digest>> {
  const all = await images.list({ all: true })
  return new Set(all.flatMap(({ config }) => chainIds(config.rootfs.diff_ids)))
}

const mountRecords = ({ mounts }: Needed): CacheRecord[] =>
  mounts.all().map((mount) => ({
    id: mountId(mount.name),
    type: 'exec.cachemount',
    parents: [],
    description: mount.description,
    sizeBytes: mounts.sizeOf(mount.name),
    createdAt: mount.createdAt,
    usedAt: mount.usedAt,
    uses: mount.uses,
    isInUse: mounts.isHeld(mount.name),
    isShared: false,
    isMutable: true,
  }))

const contextRecords = ({ keptContexts }: Needed): CacheRecord[] =>
  keptContexts.list().map((kept) => ({
    ...kept,
    type: 'source.local',
    parents: [],
    description: 'local source for context',
    isShared: false,
    isMutable: true,
  }))

/** How a mount's record is called towards users. */
export const mountId = (name: string): string => shortId(name)
