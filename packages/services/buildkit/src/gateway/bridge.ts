import type { MessageInitShape } from '@bufbuild/protobuf'
import type { LLBBridge, SolveRequest, SolveResponseSchema } from '../../generated/gateway_pb.ts'
import { describeWorker } from '../control/worker.ts'
import { answerRequest } from '../frontend/answer-request.ts'
import { checkBuild, reportChecks } from '../frontend/checks.ts'
import { decodeCacheImports, decodeExport, decodeImport } from '../cache/decode-caches.ts'
import { cacheContext } from '../cache/cache-context.ts'
import { importCaches } from '../cache/import-caches.ts'
import { decodeAttributes, decodeEntitlements } from '../frontend/decode-attributes.ts'
import { requireBuiltIn, withDefinition } from '../frontend/run-frontend.ts'
import { grpcCode, GrpcError } from '../grpc/error.ts'
import type { Call, Implementation } from '../grpc/router.ts'
import type { Job } from '../jobs/job.ts'
import type { Services } from '../services.ts'
import { frontendCapabilities, llbCapabilities } from './capabilities.ts'
import { definitionOf, outcomeIdOf } from './definition.ts'
import { readDirectory, readFile, statFile } from './read-outcome.ts'

type Response = MessageInitShape<typeof SolveResponseSchema>

/** The service that a client runs its build by. */
export function bridgeService(services: Services): Implementation<typeof LLBBridge> {
  const job = (call: Call) => startedJob(services, call)
  return {
    ping: async (_, call) => {
      await job(call)
      return {
        frontendApiCaps: frontendCapabilities,
        llbCaps: llbCapabilities,
        workers: [describeWorker(services.worker(), services.builder.cacheRules())],
      }
    },
    solve: async (request, call) => {
      const started = await job(call)
      return await services.cleanUps.watch(solveFrontend(services, started, request))
    },
    return: async (request, call) => {
      ;(await job(call)).finish(request)
      return {}
    },
    // Everything is built by the time that its reference is known.
    evaluate: async () => ({}),
    inputs: async () => ({ definitions: {} }),
    readFile: async (request) => ({ data: await readFile(await rootOf(services, request.ref), request) }),
    readDir: async ({ ref, dirPath }) => ({ entries: await readDirectory(await rootOf(services, ref), dirPath) }),
    statFile: async ({ ref, path }) => ({ stat: statFile(await rootOf(services, ref), path) }),
  }
}

/** The build that a call belongs to, as its metadata says. */
async function startedJob({ jobs }: Services, call: Call): Promise<Job> {
  const ref = call.metadata['buildkit-controlapi-buildid']
  if (typeof ref !== 'string') throw new GrpcError(grpcCode.unknown, 'no buildid found in context')
  const job = jobs.mention(ref)
  await job.request(call.signal)
  return job
}

async function rootOf({ outcomes }: Services, ref: string): Promise<string> {
  const outcome = outcomes.get(ref)
  if (!outcome) throw new GrpcError(grpcCode.unknown, `no such ref ${ref}`)
  return await outcome.rootPath()
}

async function solveFrontend(services: Services, job: Job, request: SolveRequest): Promise<Response> {
  const { frontend, frontendOpt } = request
  if (frontend === '') return passOn(services, request)
  if (frontend === 'gateway.v0') requireBuiltIn(frontendOpt['source'] ?? '')
  else if (frontend !== 'dockerfile.v0') throw new GrpcError(grpcCode.unknown, `unknown frontend ${frontend}`)
  const started = await job.request(job.signal)
  const decoded = decodeAttributes(frontendOpt)
  const context = {
    builder: services.builder,
    images: services.images,
    sessions: services.sessions,
    cleanUps: services.cleanUps,
    job,
    sessionId: started.session,
    entitlements: decodeEntitlements(started.entitlements, services.entitlements()),
    input: (name: string) => {
      const definition = request.frontendInputs[name]
      const id = definition && outcomeIdOf(definition)
      return id === undefined ? undefined : services.outcomes.get(id)
    },
  }
  if (decoded.requestId !== '') return await answerRequest(context, decoded)
  job.frontend = { name: 'dockerfile.v0', attributes: frontendOpt }
  const entries = [...request.cacheImports, ...decodeCacheImports(frontendOpt['cache-imports'])]
  const wanted = entries.map(decodeImport)
  const modes = (started.cache?.exports ?? []).map((entry) => decodeExport(entry).mode)
  const exportsCache = modes.includes('max') ? 'max' : modes[0]
  const imports = () => importCaches(cacheContext(services, job, started.session), wanted)
  return await withDefinition(context, decoded, async (loaded) => {
    const before = await checkBuild(services.images, loaded)
    if (before.isComplete) reportChecks(job, loaded, before)
    const outcome = await services.builder.solve(
      { ...loaded.request, imports, exportsCache },
      job.steps.take,
      job.signal,
    )
    // By now the images are here.
    if (!before.isComplete) reportChecks(job, loaded, await checkBuild(services.images, loaded))
    const id = services.outcomes.add(outcome)
    job.outcomeIds.push(id)
    return {
      result: {
        result: { case: 'ref', value: { id, def: definitionOf(id) } },
        metadata: { 'containerimage.config': Buffer.from(JSON.stringify(outcome.config)) },
      },
    }
  })
}

/** A graph that stands for an outcome of ours comes back as that. */
function passOn({ outcomes }: Services, { definition }: SolveRequest): Response {
  if (!definition || definition.def.length === 0) return { result: {} }
  const id = outcomeIdOf(definition)
  if (id === undefined || !outcomes.get(id)) {
    throw new GrpcError(grpcCode.unimplemented, 'graphs of clients are not supported')
  }
  return { result: { result: { case: 'ref', value: { id, def: definitionOf(id) } } } }
}
