import { messageOf } from '@berth/base'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type BuildHistoryEventSchema,
  BuildHistoryEventType,
  type BuildHistoryRecordSchema,
  type BuildHistoryRequest,
  grpcCode,
  GrpcError,
  type SolveRequest,
  type UpdateBuildHistoryRequest,
} from '@berth/buildkit-protocol'
import type { Export } from '../export/export-outcome.ts'
import type { Job } from '../jobs/job.ts'
import type { Progress } from '../progress/progress.ts'
import { now } from '../progress/timestamp.ts'

type BuildEvent = MessageInitShape<typeof BuildHistoryEventSchema>

/** As many builds are remembered, and as much of what they said; pinned ones count. Restarts forget them. */
const maxRecords = 50
const maxProgressBytes = 32 << 20

interface Entry {
  readonly job: Job
  readonly exporters: readonly Export[]
  readonly createdAt: ReturnType<typeof now>
  completedAt?: ReturnType<typeof now>
  exporterResponse: Readonly<Record<string, string>>
  error?: GrpcError
  isPinned: boolean
}

/** The builds of this engine, running and over. */
export class History {
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<(event: BuildEvent) => void>()

  begin(job: Job, _request: SolveRequest, exporters: readonly Export[]): void {
    const entry: Entry = { job, exporters, createdAt: now(), exporterResponse: {}, isPinned: false }
    this.#entries.set(job.ref, entry)
    this.#announce(BuildHistoryEventType.STARTED, entry)
  }

  complete(job: Job, end: { readonly exporterResponse?: Record<string, string>; readonly error?: unknown }): void {
    const entry = this.#entries.get(job.ref)
    if (!entry || entry.job !== job) return
    entry.completedAt = now()
    entry.exporterResponse = end.exporterResponse ?? {}
    if (end.error !== undefined) entry.error = grpcError(end.error)
    // A client that only asked the frontend something has built nothing.
    if (job.frontend === undefined && !entry.error) this.#entries.delete(job.ref)
    else this.#announce(BuildHistoryEventType.COMPLETE, entry)
    this.#evict()
  }

  /** What a build that is over has said. */
  progressOf(ref: string): Progress | undefined {
    return this.#entries.get(ref)?.job.progress
  }

  /** Records as they are, and, unless the client wants no more, as they change. */
  async *listen(request: BuildHistoryRequest, signal: AbortSignal): AsyncGenerator<BuildEvent> {
    const events: BuildEvent[] = []
    let wake = () => {}
    const listener = (event: BuildEvent) => {
      if (request.ref === '' || event.record?.ref === request.ref) events.push(event)
      wake()
    }
    signal.addEventListener('abort', () => wake(), { once: true })
    this.#listeners.add(listener)
    try {
      yield* this.#select(request)
      while (!request.earlyExit && !signal.aborted) {
        const event = events.shift()
        if (event) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#listeners.delete(listener)
    }
  }

  /** Pins a record, or deletes it. Throws when there is none. */
  update({ ref, pinned, delete: isDeleted, finalize }: UpdateBuildHistoryRequest): void {
    const entry = this.#entries.get(ref)
    if (!entry) throw new GrpcError(grpcCode.notFound, `failed to get record ${ref}: not found`)
    if (finalize) return
    entry.isPinned = pinned
    if (!isDeleted) return this.#announce(BuildHistoryEventType.COMPLETE, entry)
    this.#entries.delete(ref)
    this.#announce(BuildHistoryEventType.DELETED, entry)
  }

  #select({ ref, activeOnly, limit }: BuildHistoryRequest): BuildEvent[] {
    const found = [...this.#entries.values()].filter(
      ({ job, completedAt }) => (ref === '' || job.ref === ref) && !(activeOnly && completedAt),
    )
    const last = limit > 0 ? found.slice(-limit) : found
    return last.map((entry) => eventOf(stateOf(entry), entry))
  }

  #announce(type: BuildHistoryEventType, entry: Entry): void {
    const event = eventOf(type, entry)
    for (const listener of this.#listeners) listener(event)
  }

  #evict(): void {
    const over = [...this.#entries.values()].filter(({ completedAt }) => completedAt !== undefined)
    let bytes = over.reduce((sum, { job }) => sum + job.progress.sizeBytes, 0)
    let count = over.length
    for (const { job, isPinned } of over) {
      if (count <= maxRecords && bytes <= maxProgressBytes) return
      if (isPinned && count <= maxRecords) continue
      this.#entries.delete(job.ref)
      bytes -= job.progress.sizeBytes
      count--
    }
  }
}

const stateOf = ({ completedAt }: Entry): BuildHistoryEventType =>
  completedAt ? BuildHistoryEventType.COMPLETE : BuildHistoryEventType.STARTED

const eventOf = (type: BuildHistoryEventType, entry: Entry): BuildEvent => ({ type, record: recordOf(entry) })

function recordOf(entry: Entry): MessageInitShape<typeof BuildHistoryRecordSchema> {
  const { job, exporters, createdAt, completedAt, exporterResponse, error, isPinned } = entry
  const { total, cached, completed } = job.steps.counts
  return {
    ref: job.ref,
    frontend: job.frontend?.name ?? '',
    frontendAttrs: { ...job.frontend?.attributes },
    exporters: exporters.map(({ type, attributes }) => ({ type, attrs: { ...attributes } })),
    createdAt,
    ...(completedAt && { completedAt }),
    ...(error && { error: { code: error.code, message: error.message } }),
    exporterResponse: { ...exporterResponse },
    pinned: isPinned,
    numTotalSteps: total,
    numCachedSteps: cached,
    numCompletedSteps: completed,
    numWarnings: job.warningCount,
  }
}

const grpcError = (error: unknown): GrpcError =>
  error instanceof GrpcError ? error : new GrpcError(grpcCode.unknown, messageOf(error))
