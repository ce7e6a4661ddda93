import { invalid, ownValue } from '@berth/base'
import type { PruneRule } from '@berth/builder'
import { decodeCacheFilters } from '@berth/engine-api'
import { parseBytes } from './config/parse-bytes.ts'
import type { BuilderEntry, GcRuleEntry } from './config/values.ts'

const hourMs = 3_600_000

/** What is easily made again goes first: `type==a,type==b` would mean both. */
const mountsOnly = ['type==source.local', 'type==exec.cachemount']

/** dockerd's share of the small things, e * pi * phi percent. */
const mountShare = (Math.E * Math.PI * 1.618_033_988_749_895) / 100

type Limits = Pick<PruneRule, 'reservedBytes' | 'maxUsedBytes' | 'minFreeBytes'>

/**
 * What the build cache is kept within: the rules of daemon.json's `builder.gc`, else dockerd's own, by the size of the
 * disk. Throws `invalid` naming the setting.
 */
export function cacheRules({ gc = {} }: BuilderEntry, diskBytes: number): PruneRule[] {
  if (gc.enabled === false) return []
  if (gc.policy) return gc.policy.map(ruleOf)
  const given = limitsOf({
    ...(gc.defaultKeepStorage !== undefined && { keepStorage: gc.defaultKeepStorage }),
    ...(gc.defaultReservedSpace !== undefined && { reservedSpace: gc.defaultReservedSpace }),
    ...(gc.defaultMaxUsedSpace !== undefined && { maxUsedSpace: gc.defaultMaxUsedSpace }),
    ...(gc.defaultMinFreeSpace !== undefined && { minFreeSpace: gc.defaultMinFreeSpace }),
  })
  const isGiven = Object.values(given).some((bytes) => bytes > 0)
  return defaultRules(isGiven ? given : defaultLimits(diskBytes))
}

const defaultLimits = (diskBytes: number): Limits => ({
  reservedBytes: Math.floor(diskBytes * 0.1),
  maxUsedBytes: Math.floor(diskBytes * 0.8),
  minFreeBytes: Math.floor(diskBytes * 0.2),
})

function defaultRules(limits: Limits): PruneRule[] {
  const mountBytes = Math.floor((limits.reservedBytes || limits.maxUsedBytes) * mountShare)
  const none = { reservedBytes: 0, maxUsedBytes: mountBytes, minFreeBytes: 0 }
  return [
    { all: false, filters: mountsOnly, unusedForMs: 48 * hourMs, ...none },
    { all: false, filters: [], unusedForMs: 60 * 24 * hourMs, ...limits },
    { all: false, filters: [], unusedForMs: 0, ...limits },
    { all: true, filters: [], unusedForMs: 0, ...limits },
  ]
}

function ruleOf(entry: GcRuleEntry): PruneRule {
  return { all: entry.all ?? false, ...decodeCacheFilters(pairs(entry.filter ?? [])), ...limitsOf(entry) }
}

function pairs(texts: readonly string[]): Record<string, string[]> {
  const filters: Record<string, string[]> = {}
  for (const text of texts) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(text) ?? []
    if (name === '')
      throw invalid(`daemon.json: builder.gc.policy: bad format of filter (expected name=value): ${text}`)
    filters[name] = [...(ownValue(filters, name) ?? []), value]
  }
  return filters
}

function limitsOf({ keepStorage, reservedSpace, maxUsedSpace, minFreeSpace }: GcRuleEntry): Limits {
  const bytes = (name: string, text: string | undefined) =>
    text === undefined ? 0 : parseBytes(`builder.gc ${name}`, text)
  return {
    reservedBytes: bytes('reservedSpace', reservedSpace) || bytes('keepStorage', keepStorage),
    maxUsedBytes: bytes('maxUsedSpace', maxUsedSpace),
    minFreeBytes: bytes('minFreeSpace', minFreeSpace),
  }
}
