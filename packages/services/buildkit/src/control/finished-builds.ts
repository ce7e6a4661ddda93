import type { BuildRecord, Builder } from '@berth/builder'
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { promisify } from 'node:util'
import { gunzip, gzip } from 'node:zlib'
import {
  type BuildHistoryRecord,
  BuildHistoryRecordSchema,
  type StatusResponse,
  StatusResponseSchema,
} from '@berth/buildkit-protocol'
import type { Progress } from '../progress/progress.ts'

export type RecordInit = MessageInitShape<typeof BuildHistoryRecordSchema>

/** How many builds are remembered, and for how long; 0 is without end. */
export interface HistoryLimits {
  readonly maxEntries: number
  readonly maxAgeMs: number
}

/** Of what all of them have said, compressed; pinned ones count. */
const maxProgressBytes = 32 << 20
/** What a record that is damaged may swell to. */
const maxInflatedBytes = 256 << 20

/** The builds that are over, as they are kept in the database. */
export class FinishedBuilds {
  readonly #records: Builder['buildRecords']
  readonly #limits: () => HistoryLimits

  constructor(records: Builder['buildRecords'], limits: () => HistoryLimits) {
    this.#records = records
    this.#limits = limits
  }

  /** The first to end first. */
  all(): BuildHistoryRecord[] {
    return this.#evict().map(({ record }) => fromBinary(BuildHistoryRecordSchema, record))
  }

  /** Puts a build down with all that it has said. */
  async add(record: RecordInit & { readonly ref: string }, progress: Progress): Promise<void> {
    const said = await encodeProgress(progress)
    const { ref, pinned: isPinned = false } = record
    this.#records.put({ ref, isPinned, completedMs: Date.now(), record: encode(record) }, said)
    this.#evict()
  }

  /** What a build has said; undefined when it is not remembered. */
  progressOf(ref: string): AsyncGenerator<StatusResponse> | undefined {
    const said = this.#records.progressOf(ref)
    return said && decodeProgress(said)
  }

  pin(record: BuildHistoryRecord, isPinned: boolean): BuildHistoryRecord {
    const changed = { ...record, pinned: isPinned }
    this.#records.change(record.ref, { isPinned, record: encode(changed) })
    return changed
  }

  remove(ref: string): void {
    this.#records.remove([ref])
  }

  /** What is left. */
  #evict(): BuildRecord[] {
    const all = this.#records.all()
    const gone = planEviction(all, this.#limits(), Date.now())
    if (gone.length > 0) this.#records.remove(gone)
    return all.filter(({ ref }) => !gone.includes(ref))
  }
}

/** The references of those that go, the oldest first: pinned ones only where their number or size would have no bound. */
export function planEviction(
  all: readonly Pick<BuildRecord, 'ref' | 'completedMs' | 'isPinned' | 'progressBytes'>[],
  { maxEntries, maxAgeMs }: HistoryLimits,
  nowMs: number,
): string[] {
  let bytes = all.reduce((sum, { progressBytes }) => sum + progressBytes, 0)
  let count = all.length
  const isOver = () => (maxEntries > 0 && count > maxEntries) || bytes > maxProgressBytes
  const drop = (record: (typeof all)[number]) => {
    bytes -= record.progressBytes
    count--
    return record.ref
  }
  const isOld = ({ completedMs }: (typeof all)[number]) => maxAgeMs > 0 && nowMs - completedMs > maxAgeMs
  const free = all.filter(({ isPinned }) => !isPinned)
  const old = free.filter(isOld).map(drop)
  const over = free.filter((one) => !isOld(one)).flatMap((one) => (isOver() ? [drop(one)] : []))
  const pinned = all.filter(({ isPinned }) => isPinned).flatMap((one) => (isOver() ? [drop(one)] : []))
  return [...old, ...over, ...pinned]
}

const encode = (record: RecordInit): Uint8Array =>
  toBinary(BuildHistoryRecordSchema, create(BuildHistoryRecordSchema, record))

const never = new AbortController().signal

/** Messages with their lengths before them, compressed together. */
async function encodeProgress(progress: Progress): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const update of progress.follow(never)) {
    const bytes = toBinary(StatusResponseSchema, create(StatusResponseSchema, update))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    pieces.push(length, bytes)
  }
  return await promisify(gzip)(Buffer.concat(pieces), { level: 1 })
}

async function* decodeProgress(said: Uint8Array): AsyncGenerator<StatusResponse> {
  const bytes = await promisify(gunzip)(said, { maxOutputLength: maxInflatedBytes })
  for (let at = 0; at + 4 <= bytes.length;) {
    const end = at + 4 + bytes.readUInt32LE(at)
    yield fromBinary(StatusResponseSchema, bytes.subarray(at + 4, end))
    at = end
  }
}
