import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Call,
  grpcCode,
  GrpcError,
  type ReturnRequest,
  type SolveRequest,
  type SolveResponseSchema,
} from '@berth/buildkit-protocol'
import { cacheContext } from '../cache/cache-context.ts'
import { decodeExport } from '../cache/decode-caches.ts'
import { exportCaches } from '../cache/export-caches.ts'
import { type Built, type Export, exportOutcome, requireExporter } from '../export/export-outcome.ts'
import type { Job } from '../jobs/job.ts'
import type { Services } from '../services.ts'
import { sourcePolicyRefusal } from './source-policy-refusal.ts'

/**
 * Starts a build, and waits until the client, which runs it by calls of its own on the same connection, returns a result;
 * then exports that. The build is given up when the call is.
 */
export async function solve(
  services: Services,
  request: SolveRequest,
  call: Call,
): Promise<MessageInitShape<typeof SolveResponseSchema>> {
  if (request.frontend !== '' || (request.definition?.def.length ?? 0) > 0) {
    throw new GrpcError(grpcCode.unimplemented, 'builds are run over LLBBridge: graphs of clients are not supported')
  }
  requireNoPolicy(request)
  for (const { type } of exportsOf(request)) requireExporter(type)
  services.builder.expectBuild()
  const job = services.jobs.mention(request.ref)
  job.start(request)
  const cancel = () => job.cancel()
  call.signal.addEventListener('abort', cancel, { once: true })
  services.outcomes.setRunning(services.jobs.begin(job))
  if (call.signal.aborted) cancel()
  try {
    const exporterResponse = await finishSolve(services, job, request)
    services.history.complete(job, { exporterResponse })
    return { exporterResponse }
  } catch (error) {
    services.history.complete(job, { error })
    throw error
  } finally {
    call.signal.removeEventListener('abort', cancel)
    job.progress.end()
    for (const id of job.outcomeIds) services.outcomes.release(id)
    services.outcomes.setRunning(services.jobs.release(job))
  }
}

/** Neither one that the request has, nor one that its client is to be asked for, nor a network that goes by one. */
function requireNoPolicy({ sourcePolicy, sourcePolicySession, proxyNetwork }: SolveRequest): void {
  if (sourcePolicy.length > 0 || sourcePolicySession !== '') throw sourcePolicyRefusal()
  if (proxyNetwork) throw new GrpcError(grpcCode.unimplemented, 'a proxied network for RUN is not supported')
}

async function finishSolve(services: Services, job: Job, request: SolveRequest): Promise<Record<string, string>> {
  const exports = exportsOf(request)
  const caches = (request.cache?.exports ?? []).map(decodeExport)
  if (!request.internal) services.history.begin(job, request, exports)
  const built = builtOf(services, job, requireResult(await job.returned()))
  if (!built) return {}
  const context = {
    images: services.images,
    job,
    session: () => services.sessions.get(request.session, job.signal),
    isCache: caches.some(({ place }) => place.kind === 'inline'),
  }
  const response: Record<string, string> = {}
  for (const wanted of exports) Object.assign(response, await exportOutcome(context, built, wanted))
  const outcomes = built.outcomes.map(({ outcome }) => outcome)
  Object.assign(response, await exportCaches(cacheContext(services, job, request.session), outcomes, caches))
  return response
}

/** What the ids of a result stand for, in the order that it was built in; undefined for none. */
function builtOf({ outcomes }: Services, job: Job, { ids, isMultiPlatform }: ReturnedIds): Built | undefined {
  if (ids.length === 0) return undefined
  const inOrder = ids.toSorted((a, b) => job.outcomeIds.indexOf(a) - job.outcomeIds.indexOf(b))
  const made = inOrder.map((id) => {
    const found = outcomes.get(id)
    if (!found) throw new GrpcError(grpcCode.unknown, `no such result ${id}`)
    return found
  })
  return { outcomes: made, isMultiPlatform, attests: job.attests }
}

/** Older clients have one only, in fields of its own. */
function exportsOf({ exporters, exporterDeprecated, exporterAttrsDeprecated }: SolveRequest): Export[] {
  if (exporters.length > 0) return exporters.map(({ type, attrs }, id) => ({ id, type, attributes: attrs }))
  return exporterDeprecated === '' ? [] : [{ id: 0, type: exporterDeprecated, attributes: exporterAttrsDeprecated }]
}

interface ReturnedIds {
  readonly ids: readonly string[]
  readonly isMultiPlatform: boolean
}

/** The ids of a result; throws what the client failed by. */
function requireResult({ error, result }: ReturnRequest): ReturnedIds {
  if (error && error.code !== grpcCode.ok) throw new GrpcError(error.code, error.message, error.details)
  const one = (id: string) => ({ ids: id === '' ? [] : [id], isMultiPlatform: false })
  switch (result?.result.case) {
    case 'ref':
      return one(result.result.value.id)
    case 'refDeprecated':
      return one(result.result.value)
    case 'refs':
      return { ids: Object.values(result.result.value.refs).map(({ id }) => id), isMultiPlatform: true }
    default:
      return one('')
  }
}
