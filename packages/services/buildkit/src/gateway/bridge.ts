import { ownValue } from '@berth/base'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Call,
  type GatewaySolveRequest as SolveRequest,
  type GatewaySolveResponseSchema as SolveResponseSchema,
  grpcCode,
  GrpcError,
  type Implementation,
  type LLBBridge,
} from '@berth/buildkit-protocol'
import { attestsOf } from '../attest/attests-of.ts'
import { scanImages } from '../attest/scan-images.ts'
import { sourcePolicyRefusal } from '../control/source-policy-refusal.ts'
import { askWorker } from '../control/worker.ts'
import { answerRequest } from '../frontend/answer-request.ts'
import { checkBuild, reportChecks } from '../frontend/checks.ts'
import { decodeCacheImports, decodeExport, decodeImport } from '../cache/decode-caches.ts'
import { cacheContext } from '../cache/cache-context.ts'
import { importCaches } from '../cache/import-caches.ts'
import { decodeAttributes, decodeEntitlements } from '../frontend/decode-attributes.ts'
import { requireBuiltIn, withDefinition } from '../frontend/run-frontend.ts'
import type { Job } from '../jobs/job.ts'
import type { PlatformOutcome } from '../jobs/outcomes.ts'
import type { Services } from '../services.ts'
import { frontendCapabilities, llbCapabilities } from './capabilities.ts'
import { definitionOf, outcomeIdOf } from './definition.ts'
import { readDirectory, readFile, statFile } from './read-outcome.ts'
import { platformKey, solvePlatforms } from './solve-platforms.ts'

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
        workers: [await askWorker(services)],
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
  await job.request(call)
  return job
}

async function rootOf({ outcomes }: Services, ref: string): Promise<string> {
  const made = outcomes.get(ref)
  if (!made) throw new GrpcError(grpcCode.unknown, `no such ref ${ref}`)
  return await made.outcome.rootPath()
}

async function solveFrontend(services: Services, job: Job, request: SolveRequest): Promise<Response> {
  const { frontend, frontendOpt, sourcePolicies } = request
  if (sourcePolicies.length > 0) throw sourcePolicyRefusal()
  if (frontend === '') return passOn(services, request)
  if (frontend === 'gateway.v0') requireBuiltIn(frontendOpt['source'] ?? '')
  else if (frontend !== 'dockerfile.v0') throw new GrpcError(grpcCode.unknown, `unknown frontend ${frontend}`)
  const started = await job.request(job)
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
      const definition = ownValue(request.frontendInputs, name)
      const id = definition && outcomeIdOf(definition)
      return id === undefined ? undefined : services.outcomes.get(id)?.outcome
    },
  }
  if (decoded.requestId !== '') return await answerRequest(context, decoded)
  job.frontend = { name: 'dockerfile.v0', attributes: frontendOpt }
  const entries = [...request.cacheImports, ...decodeCacheImports(frontendOpt['cache-imports'])]
  const wanted = entries.map(decodeImport)
  const modes = (started.cache?.exports ?? []).map((entry) => decodeExport(entry).mode)
  const exportsCache = modes.includes('max') ? 'max' : modes[0]
  let imported: ReturnType<typeof importCaches> | undefined
  const imports = () => (imported ??= importCaches(cacheContext(services, job, started.session), wanted))
  return await withDefinition(context, decoded, async (loaded) => {
    const before = await checkBuild(services.images, loaded)
    if (before.isComplete) {
      reportChecks(job, loaded, before)
      // What an imported cache has may need none of it.
      if (wanted.length === 0) await loaded.expectContext()
    }
    const made = await solvePlatforms(services, job, { ...loaded.request, imports, exportsCache }, decoded)
    const scanned = await scanImages(services, job, { wish: decoded.attestations.sbom, made, request: loaded.request })
    job.attests = attestsOf(decoded.attestations, loaded, { job, attributes: frontendOpt, scanned })
    // By now the images are here.
    if (!before.isComplete) reportChecks(job, loaded, await checkBuild(services.images, loaded))
    return { result: decoded.isMultiPlatform ? resultOfMany(services, job, made) : resultOfOne(services, job, made) }
  })
}

type Made = readonly PlatformOutcome[]

function referenceTo({ outcomes }: Services, job: Job, made: PlatformOutcome) {
  const id = outcomes.add(made)
  job.outcomeIds.push(id)
  return { id, def: definitionOf(id) }
}

const configOf = ({ outcome }: PlatformOutcome): Buffer => Buffer.from(JSON.stringify(outcome.config))

function resultOfOne(services: Services, job: Job, [made]: Made): Response['result'] {
  if (!made) throw new Error('nothing was built')
  const value = referenceTo(services, job, made)
  return { result: { case: 'ref', value }, metadata: { 'containerimage.config': configOf(made) } }
}

/** https://pkg.go.dev/github.com/moby/buildkit/exporter/containerimage/exptypes#Platforms */
function resultOfMany(services: Services, job: Job, made: Made): Response['result'] {
  const named = made.map((one) => ({ key: platformKey(one), one }))
  const refs = Object.fromEntries(named.map(({ key, one }) => [key, referenceTo(services, job, one)]))
  const Platforms = named.map(({ key, one }) => ({ ID: key, Platform: one.platform }))
  return {
    result: { case: 'refs', value: { refs } },
    metadata: {
      'refs.platforms': Buffer.from(JSON.stringify({ Platforms })),
      ...Object.fromEntries(named.map(({ key, one }) => [`containerimage.config/${key}`, configOf(one)])),
    },
  }
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
