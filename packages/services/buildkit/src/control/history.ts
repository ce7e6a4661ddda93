import { messageOf } from '@berth/base'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type BuildHistoryEventSchema,
  BuildHistoryEventType,
  type BuildHistoryRequest,
  type SolveRequest,
  type UpdateBuildHistoryRequest,
  grpcCode,
  GrpcError,
} from '@berth/buildkit-protocol'
import type { Export } from '../export/export-outcome.ts'
import type { CleanUps } from '../jobs/clean-ups.ts'
import type { Job } from '../jobs/job.ts'
import type { Update } from '../progress/progress.ts'
import { now } from '../progress/timestamp.ts'
import type { FinishedBuilds, RecordInit } from './finished-builds.ts'

type BuildEvent = MessageInitShape<typeof BuildHistoryEventSchema>

interface Running {
  readonly job: Job
  readonly exporters: readonly Export[]
  readonly createdAt: ReturnType<typeof now>
  /** It is over, and being put down. */
  ended?: RecordInit
}

/** How a build has ended. */
export interface BuildEnd {
  readonly exporterResponse?: Record<string, string>
  readonly error?: unknown
}

/** The builds of this engine: those that run, and those that are over and remembered. */
export class History {
  readonly #running = new Map<string, Running>()
  readonly #listeners = new Set<(event: BuildEvent) => void>()
  readonly #finished: FinishedBuilds
  readonly #cleanUps: CleanUps

  constructor(finished: FinishedBuilds, cleanUps: CleanUps) {
    this.#finished = finished
    this.#cleanUps = cleanUps
  }

  begin(job: Job, _request: SolveRequest, exporters: readonly Export[]): void {
    const running: Running = { job, exporters, createdAt: now() }
    this.#running.set(job.ref, running)
    this.#announce(BuildHistoryEventType.STARTED, recordOf(running))
  }

  /** Ends a build, whose progress ends soon; it is remembered by and by. */
  complete(job: Job, end: BuildEnd): void {
    const running = this.#running.get(job.ref)
    if (!running || running.job !== job) return
    // A client that only asked the frontend something has built nothing.
    if (job.frontend === undefined && end.error === undefined) return void this.#running.delete(job.ref)
    const record = { ...recordOf(running), ...endOf(end) }
    running.ended = record
    this.#cleanUps.addLater(() => this.#remember(running, record))
  }

  /** What a build that is over has said. */
  progressOf(ref: string): AsyncGenerator<Update> | undefined {
    return this.#finished.progressOf(ref)
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
    const record = this.#finished.all().find((one) => one.ref === ref)
    if (!record) throw new GrpcError(grpcCode.notFound, `failed to get record ${ref}: not found`)
    if (finalize) return
    if (!isDeleted) return this.#announce(BuildHistoryEventType.COMPLETE, this.#finished.pin(record, pinned))
    this.#finished.remove(ref)
    this.#announce(BuildHistoryEventType.DELETED, record)
  }

  async #remember(running: Running, record: ReturnType<typeof recordOf>): Promise<void> {
    try {
      await this.#finished.add(record, running.job.progress)
    } finally {
      if (this.#running.get(record.ref) === running) this.#running.delete(record.ref)
      this.#announce(BuildHistoryEventType.COMPLETE, record)
    }
  }

  #select({ ref, activeOnly, limit }: BuildHistoryRequest): BuildEvent[] {
    const running = [...this.#running.values()].flatMap((one): BuildEvent[] => {
      if (!one.ended) return [{ type: BuildHistoryEventType.STARTED, record: recordOf(one) }]
      return activeOnly ? [] : [{ type: BuildHistoryEventType.COMPLETE, record: one.ended }]
    })
    const finished = activeOnly ? [] : this.#finished.all()
    const over = finished.map((record): BuildEvent => ({ type: BuildHistoryEventType.COMPLETE, record }))
    const found = [...over, ...running].filter(({ record }) => ref === '' || record?.ref === ref)
    return limit > 0 ? found.slice(-limit) : found
  }

  #announce(type: BuildHistoryEventType, record: RecordInit): void {
    for (const listener of this.#listeners) listener({ type, record })
  }
}

function recordOf({ job, exporters, createdAt }: Running) {
  const { total, cached, completed } = job.steps.counts
  return {
    ref: job.ref,
    frontend: job.frontend?.name ?? '',
    frontendAttrs: { ...job.frontend?.attributes },
    exporters: exporters.map(({ type, attributes }) => ({ type, attrs: { ...attributes } })),
    createdAt,
    numTotalSteps: total,
    numCachedSteps: cached,
    numCompletedSteps: completed,
    numWarnings: job.warningCount,
  } satisfies RecordInit
}

function endOf({ exporterResponse = {}, error }: BuildEnd) {
  const failure = error === undefined ? undefined : grpcError(error)
  return {
    completedAt: now(),
    exporterResponse: { ...exporterResponse },
    ...(failure && { error: { code: failure.code, message: failure.message } }),
  } satisfies RecordInit
}

const grpcError = (error: unknown): GrpcError =>
  error instanceof GrpcError ? error : new GrpcError(grpcCode.unknown, messageOf(error))
