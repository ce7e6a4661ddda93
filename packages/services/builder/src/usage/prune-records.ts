import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { CacheRecord, PruneRule } from '../builder.ts'
import { cacheId } from '../cache/build-cache.ts'
import type { Context } from '../context.ts'
import { listRecords, mountId } from './list-records.ts'
import { planPrune } from './plan-prune.ts'

type Needed = Pick<Context, 'cache' | 'mounts' | 'keptContexts' | 'images' | 'storage' | 'directory'>

/** Forgets what a rule says, but for what running builds use; returns it. Blobs and snapshots are left to the collector. */
export async function pruneRecords(context: Needed, rule: PruneRule): Promise<CacheRecord[]> {
  const { bavail, bsize } = await statfs(context.directory)
  const facts = { nowMs: Date.now(), freeBytes: bavail * bsize }
  const planned = planPrune(await listRecords(context), rule, facts)
  dropSteps(context, planned, rule)
  await dropMounts(context, planned)
  await context.keptContexts.drop(new Set(planned.filter(({ type }) => type === 'source.local').map(({ id }) => id)))
  return planned
}

function dropSteps({ cache }: Needed, planned: readonly CacheRecord[], rule: PruneRule): void {
  const ids = new Set(planned.filter(({ type }) => type === 'regular').map(({ id }) => id))
  // Steps without a layer are seen by nobody; they go when everything does.
  const isWhole = rule.all && rule.filters.length === 0 && rule.unusedForMs === 0 && limitless(rule)
  const dropped = cache.all().filter((step) => (step.layer ? ids.has(cacheId(step)) : isWhole))
  cache.drop(dropped.filter(({ key }) => !cache.isHeld(key)).map(({ key }) => key))
}

const limitless = ({ maxUsedBytes, minFreeBytes, reservedBytes }: PruneRule): boolean =>
  maxUsedBytes + minFreeBytes + reservedBytes === 0

async function dropMounts({ mounts, storage, directory }: Needed, planned: readonly CacheRecord[]): Promise<void> {
  const ids = new Set(planned.filter(({ type }) => type === 'exec.cachemount').map(({ id }) => id))
  if (ids.size === 0) return
  const names = mounts.all().flatMap(({ name }) => (ids.has(mountId(name)) ? [name] : []))
  await storage.trees.remove(await mounts.drop(names, join(directory, 'tmp')))
}
