import { parseTimeNs } from '@berth/base'
import type { CacheRecord, PruneRule } from '../builder.ts'
import { usageFilter } from './usage-filter.ts'

/** Nothing is kept: what `prune` without limits means. */
export const pruneEverything: PruneRule = {
  all: true,
  filters: [],
  unusedForMs: 0,
  reservedBytes: 0,
  maxUsedBytes: 0,
  minFreeBytes: 0,
}

/**
 * What a rule drops of `records`, as BuildKit understands it: nothing that is in use, what images have too only with
 * `all`, and, where it has limits of size, no more than it takes to keep them, the longest unused first. What stands on a
 * record goes before it. Throws `invalid` for a malformed filter.
 */
export function planPrune(
  records: readonly CacheRecord[],
  rule: PruneRule,
  { nowMs, freeBytes }: { readonly nowMs: number; readonly freeBytes: number },
): CacheRecord[] {
  const matches = usageFilter(rule.filters)
  const totalBytes = records.reduce((sum, { isShared, sizeBytes }) => sum + (isShared ? 0 : sizeBytes), 0)
  const keepBytes = keepOf(rule, totalBytes, freeBytes)
  if (keepBytes !== undefined && totalBytes <= keepBytes) return []
  const isOld = (record: CacheRecord) => rule.unusedForMs === 0 || nowMs - usedMs(record) >= rule.unusedForMs
  const droppable = records.filter(
    (record) => !record.isInUse && (rule.all || !record.isShared) && isOld(record) && matches(record),
  )
  if (keepBytes === undefined) return droppable
  let leftBytes = totalBytes
  return byAge(droppable, records).filter((record) => {
    if (leftBytes <= keepBytes) return false
    if (!record.isShared) leftBytes -= record.sizeBytes
    return true
  })
}

/** Bytes that may stay; undefined: the rule has no limit. */
function keepOf(
  { maxUsedBytes, minFreeBytes, reservedBytes }: PruneRule,
  totalBytes: number,
  freeBytes: number,
): number | undefined {
  if (maxUsedBytes === 0 && minFreeBytes === 0 && reservedBytes === 0) return undefined
  const limits = [
    ...(maxUsedBytes > 0 ? [maxUsedBytes] : []),
    ...(minFreeBytes > 0 ? [totalBytes - Math.max(0, minFreeBytes - freeBytes)] : []),
  ]
  return Math.max(reservedBytes, limits.length > 0 ? Math.min(...limits) : 0)
}

const usedMs = ({ usedAt }: CacheRecord): number => Number((parseTimeNs(usedAt) ?? 0n) / 1_000_000n)

/** The longest unused first; a record is as young as what stands on it, and comes after that. */
function byAge(droppable: readonly CacheRecord[], all: readonly CacheRecord[]): CacheRecord[] {
  const byId = new Map(all.map((record) => [record.id, record]))
  const places = new Map(all.map((record) => [record.id, { youngestMs: usedMs(record), depth: 0 }]))
  for (const record of all) {
    const own = placeOf(places, record)
    const time = usedMs(record)
    for (const below of parentsOf(record, byId)) {
      const place = placeOf(places, below)
      place.youngestMs = Math.max(place.youngestMs, time)
      own.depth++
    }
  }
  const order = droppable.map((record) => ({ record, ...placeOf(places, record) }))
  return order.toSorted((a, b) => a.youngestMs - b.youngestMs || b.depth - a.depth).map(({ record }) => record)
}

interface Place {
  youngestMs: number
  /** Records that it stands on. */
  depth: number
}

const placeOf = (places: ReadonlyMap<string, Place>, { id }: CacheRecord): Place => places.get(id) as Place

/** What a record stands on, the nearest first; parents that go in a circle end somewhere. */
function* parentsOf(record: CacheRecord, byId: ReadonlyMap<string, CacheRecord>): Generator<CacheRecord> {
  let at = byId.get(record.parents[0] ?? '')
  for (let steps = 0; at && steps < 1000; steps++, at = byId.get(at.parents[0] ?? '')) yield at
}
