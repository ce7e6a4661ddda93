import type { DiskUsageResponse } from '@berth/engine-api'
import { ago, humanSize } from '../../output/units.ts'
import type { View } from '../../output/view.ts'

export type CacheRecord = NonNullable<DiskUsageResponse['BuildCache']>[number]

const idColumns = 12

/** The columns of the build cache. */
export function cacheView(truncate: boolean): View<CacheRecord> {
  return {
    goType: '*formatter.buildCacheContext',
    columns: {
      ID: {
        header: 'CACHE ID',
        value: ({ ID, InUse }) => `${truncate ? ID.slice(0, idColumns) : ID}${InUse === true ? '*' : ''}`,
      },
      Parent: { header: 'PARENT', value: ({ Parents }) => (Parents ?? []).join(', ') },
      CacheType: { header: 'CACHE TYPE', value: ({ Type }) => Type ?? '' },
      Description: { header: 'DESCRIPTION', value: ({ Description }) => Description ?? '' },
      Size: { header: 'SIZE', value: ({ Size }) => humanSize(Size, 3) },
      CreatedAt: { header: 'CREATED AT', value: ({ CreatedAt }) => goTimeOf(CreatedAt) },
      CreatedSince: { header: 'CREATED', value: ({ CreatedAt }) => since(CreatedAt) },
      LastUsedAt: { header: 'LAST USED AT', value: ({ LastUsedAt }) => goTimeOf(LastUsedAt) },
      LastUsedSince: { header: 'LAST USED', value: ({ LastUsedAt }) => since(LastUsedAt) },
      UsageCount: { header: 'USAGE', value: ({ UsageCount }) => String(UsageCount ?? 0) },
      InUse: { header: 'IN USE', value: ({ InUse }) => String(InUse ?? false) },
      Shared: { header: 'SHARED', value: ({ Shared }) => String(Shared ?? false) },
    },
  }
}

/** Bytes of the records; what one shares with an image is counted there. */
export const cacheBytes = (records: readonly CacheRecord[]): number =>
  records.reduce((sum, { Size, Shared }) => sum + (Shared === true ? 0 : Size), 0)

/** What was never used comes first, then by the last use, then by size. */
export function oldestUseFirst(a: CacheRecord, b: CacheRecord): number {
  const [usedA, usedB] = [a.LastUsedAt ?? '', b.LastUsedAt ?? '']
  if (usedA === usedB) return a.Size - b.Size
  return Date.parse(usedA || '1970-01-01') - Date.parse(usedB || '1970-01-01')
}

/** RFC 3339 in UTC, as Go prints a time. */
const goTimeOf = (time: string | null | undefined): string =>
  time ? time.replace('T', ' ').replace(/Z$/, ' +0000 UTC') : ''

/** `3 minutes ago`; '' when there is no time. */
export const since = (time: string | null | undefined): string => (time ? ago(Date.parse(time) / 1000) : '')

/** Whether a record is what `--filter` asks for; throws for a filter that there is not. */
export function matchesCacheFilter(record: CacheRecord, filters: Readonly<Record<string, readonly string[]>>): boolean {
  return Object.entries(filters).every(([name, [value = '']]) => {
    switch (name) {
      case 'id':
        return record.ID.includes(value)
      case 'type':
        return record.Type === value
      case 'description':
        return record.Description === value
      case 'inuse':
        return (record.InUse === true) === (value === '' || value === 'true')
      case 'shared':
        return (record.Shared === true) === (value === '' || value === 'true')
      case 'private':
        return (record.Shared !== true) === (value === '' || value === 'true')
      default:
        throw new Error(`invalid filter '${name}'`)
    }
  })
}
