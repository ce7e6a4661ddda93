import { parseTimeNs } from '@berth/base'
import type { Builder, CacheRecord } from '@berth/builder'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { DiskUsageRequest, PruneRequest, UsageRecordSchema } from '@berth/buildkit-protocol'
import { timestamp } from '../progress/timestamp.ts'

type UsageRecord = MessageInitShape<typeof UsageRecordSchema>

/** What the cache holds, as `du` shows it; unused for `ageLimit` nanoseconds. */
export async function usageRecords(
  builder: Pick<Builder, 'cacheRecords'>,
  { filter, ageLimit }: DiskUsageRequest,
): Promise<UsageRecord[]> {
  const usedBefore = BigInt(Date.now()) * 1_000_000n - ageLimit
  const records = await builder.cacheRecords(filter)
  return records.filter(({ usedAt }) => ageLimit === 0n || (parseTimeNs(usedAt) ?? 0n) <= usedBefore).map(usageRecord)
}

const usageRecord = (record: CacheRecord): UsageRecord => ({
  id: record.id,
  size: BigInt(record.sizeBytes),
  inUse: record.isInUse,
  shared: record.isShared,
  createdAt: timestampOf(record.createdAt),
  lastUsedAt: timestampOf(record.usedAt),
  usageCount: BigInt(record.uses),
  description: record.description,
  recordType: record.type,
  mutable: record.isMutable,
  parents: [...record.parents],
})

const timestampOf = (text: string) => timestamp(Number((parseTimeNs(text) ?? 0n) / 1_000_000n))

/** Prunes, and tells what went. Durations are nanoseconds. */
export async function pruneRecords(builder: Builder, request: PruneRequest): Promise<UsageRecord[]> {
  const { deleted } = await builder.pruneCache({
    all: request.all,
    filters: request.filter,
    unusedForMs: Number(request.keepDuration / 1_000_000n),
    reservedBytes: Number(request.reservedSpace),
    maxUsedBytes: Number(request.maxUsedSpace),
    minFreeBytes: Number(request.minFreeSpace),
  })
  return deleted.map(usageRecord)
}
