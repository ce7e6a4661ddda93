import { parseTimeNs } from '@berth/base'
import type { CacheRecord } from '../builder.ts'
import type { Context } from '../context.ts'
import { cacheId, type CachedStep } from './build-cache.ts'

/** The records that hold a layer, the last used first. */
export function listCache({ cache }: Pick<Context, 'cache'>): CacheRecord[] {
  return cache
    .all()
    .filter(({ layer }) => layer !== undefined)
    .toSorted((a, b) => (a.usedAt < b.usedAt ? 1 : -1))
    .map((step) => ({
      id: cacheId(step),
      description: step.description,
      sizeBytes: step.layer?.sizeBytes ?? 0,
      createdAt: step.createdAt,
      usedAt: step.usedAt,
      uses: step.uses,
      isInUse: cache.isHeld(step.key),
      isShared: false,
    }))
}

export interface CacheFilter {
  readonly all: boolean
  /** What may stay, the last used first. */
  readonly keepBytes: number
  readonly unusedForMs: number
}

/** Forgets steps that no build relies on, the longest unused first; returns the ids of those that held a layer. */
export function pruneCache({ cache }: Pick<Context, 'cache'>, { keepBytes, unusedForMs }: CacheFilter): string[] {
  const before = BigInt(Date.now() - unusedForMs) * 1_000_000n
  const isOld = ({ usedAt }: CachedStep) => unusedForMs === 0 || (parseTimeNs(usedAt) ?? 0n) < before
  let kept = 0
  const dropped: CachedStep[] = []
  for (const step of cache.all().toSorted((a, b) => (a.usedAt < b.usedAt ? 1 : -1))) {
    const sizeBytes = step.layer?.sizeBytes ?? 0
    const fits = keepBytes > 0 && kept + sizeBytes <= keepBytes
    if (fits || cache.isHeld(step.key) || !isOld(step)) kept += sizeBytes
    else dropped.push(step)
  }
  cache.drop(dropped.map(({ key }) => key))
  return dropped.filter(({ layer }) => layer !== undefined).map(cacheId)
}
