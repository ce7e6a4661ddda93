import { parseTimeNs } from '@berth/base'
import type { Builder, CacheRecord } from '@berth/builder'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { PruneRequest, UsageRecordSchema } from '../../generated/control_pb.ts'
import { timestamp } from '../progress/timestamp.ts'

type UsageRecord = MessageInitShape<typeof UsageRecordSchema>

/** What the cache holds, as `du` shows it. */
export function usageRecords(builder: Pick<Builder, 'cacheRecords'>): UsageRecord[] {
  return builder.cacheRecords().map(usageRecord)
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
  recordType: 'regular',
})

const timestampOf = (text: string) => timestamp(Number((parseTimeNs(text) ?? 0n) / 1_000_000n))

/** Prunes, and tells what went. Durations are nanoseconds. */
export async function pruneRecords(builder: Builder, request: PruneRequest): Promise<UsageRecord[]> {
  const before = new Map(usageRecords(builder).map((record) => [record.id, record]))
  const { deleted } = await builder.pruneCache({
    all: request.all,
    keepBytes: Number(request.reservedSpace),
    unusedForMs: Number(request.keepDuration / 1_000_000n),
  })
  return deleted.flatMap((id) => before.get(id) ?? [])
}
