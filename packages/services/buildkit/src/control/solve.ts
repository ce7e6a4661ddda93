import type { MessageInitShape } from '@bufbuild/protobuf'
import type { SolveRequest, SolveResponseSchema } from '../../generated/control_pb.ts'
import type { Result, ReturnRequest } from '../../generated/gateway_pb.ts'
import { cacheContext } from '../cache/cache-context.ts'
import { decodeExport } from '../cache/decode-caches.ts'
import { exportCaches } from '../cache/export-caches.ts'
import { type Export, exportOutcome } from '../export/export-outcome.ts'
import { grpcCode, GrpcError } from '../grpc/error.ts'
import type { Call } from '../grpc/router.ts'
import type { Job } from '../jobs/job.ts'
import type { Services } from '../services.ts'

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

async function finishSolve(services: Services, job: Job, request: SolveRequest): Promise<Record<string, string>> {
  const exports = exportsOf(request)
  const caches = (request.cache?.exports ?? []).map(decodeExport)
  if (!request.internal) services.history.begin(job, request, exports)
  const id = requireResult(await job.returned())
  if (id === '') return {}
  const outcome = services.outcomes.get(id)
  if (!outcome) throw new GrpcError(grpcCode.unknown, `no such result ${id}`)
  const context = {
    images: services.images,
    job,
    session: () => services.sessions.get(request.session, job.signal),
    isCache: caches.some(({ place }) => place.kind === 'inline'),
  }
  const response: Record<string, string> = {}
  for (const wanted of exports) Object.assign(response, await exportOutcome(context, outcome, wanted))
  Object.assign(response, await exportCaches(cacheContext(services, job, request.session), outcome, caches))
  return response
}

/** Older clients have one only, in fields of its own. */
function exportsOf({ exporters, exporterDeprecated, exporterAttrsDeprecated }: SolveRequest): Export[] {
  if (exporters.length > 0) return exporters.map(({ type, attrs }, id) => ({ id, type, attributes: attrs }))
  return exporterDeprecated === '' ? [] : [{ id: 0, type: exporterDeprecated, attributes: exporterAttrsDeprecated }]
}

/** The result's id, '' for none; throws what the client failed by. */
function requireResult({ error, result }: ReturnRequest): string {
  if (error && error.code !== grpcCode.ok) throw new GrpcError(error.code, error.message, error.details)
  return resultId(result)
}

function resultId(result: Result | undefined): string {
  switch (result?.result.case) {
    case 'ref':
      return result.result.value.id
    case 'refDeprecated':
      return result.result.value
    case 'refs':
      throw new GrpcError(grpcCode.unimplemented, 'results of several platforms are not supported')
    default:
      return ''
  }
}
