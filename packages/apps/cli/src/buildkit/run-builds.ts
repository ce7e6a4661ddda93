import {
  type BuildkitDoor,
  controlMethods,
  newBuildRef,
  openBuildkit,
  openSession,
  solve,
  type Solved,
} from '@berth/buildkit-client'
import { type Definition, grpcCode, GrpcError } from '@berth/buildkit-protocol'
import { isStatus } from '@berth/engine-client'
import type { Cli } from '../cli.ts'
import { type EngineFacts, entitlementsOf, exportersOf, frontendAttributes } from './attributes.ts'
import type { BuildRequest } from './build-request.ts'
import { openCacheStores, recordCaches } from './cache-stores.ts'
import { type BuildInputs, openInput, openInputs, type ReadInput } from './inputs.ts'
import { outputTargets } from './outputs.ts'
import type { ProgressView } from './progress/view.ts'
import { pushHere } from './push-here.ts'
import { sessionServices } from './session-services.ts'

/** What came of one build. */
export interface BuildResult extends Solved {
  readonly ref: string
}

export interface RunOptions {
  readonly view: ProgressView
  readonly signal: AbortSignal
  /** Hears what is to be said of the builds beside their progress. */
  readonly warn: (text: string) => void
  /** Hears which build fails, before the run does. */
  readonly onFailure?: (name: string) => void
}

/**
 * Runs builds side by side over BuildKit's doors; resolves to their results by name. A context `target:NAME` is the result of
 * the build of that name, which begins before. Rejects with the first failure, upon which the others are stopped.
 */
export async function runBuilds(
  cli: Cli,
  requests: readonly BuildRequest[],
  { view, signal, warn, onFailure }: RunOptions,
): Promise<Map<string, BuildResult>> {
  const policy = 'EXPERIMENTAL_BUILDKIT_SOURCE_POLICY'
  if (cli.env[policy]) throw new Error(`${policy}: source policies are not supported`)
  using door = await requireDoor(cli)
  const failed = new AbortController()
  const both = AbortSignal.any([signal, failed.signal])
  const run = new Run(
    cli,
    { door, view, signal: both, warn, readInput: onceInput(), ...(onFailure && { onFailure }) },
    requests,
  )
  try {
    const results = await Promise.all(requests.map((request) => run.build(request)))
    return new Map(results.map((result, at) => [requests[at]?.name ?? '', result]))
  } catch (error) {
    failed.abort(new DOMException('another build failed', 'AbortError'))
    await run.settled()
    throw signal.aborted ? signal.reason : error
  }
}

async function requireDoor(cli: Cli): Promise<BuildkitDoor> {
  try {
    return await openBuildkit(cli.engine.transport)
  } catch (error) {
    if (!isStatus(error, 404)) throw error
    throw new Error('the engine has no BuildKit (/grpc): set DOCKER_BUILDKIT=0 to build by its classic interface', {
      cause: error,
    })
  }
}

/** Standard input is one. */
function onceInput(): ReadInput {
  let isTaken = false
  return () => {
    if (isTaken) throw new Error('standard input can be read by one build only')
    isTaken = true
    return openInput()
  }
}

interface RunContext extends RunOptions {
  readonly door: BuildkitDoor
  readonly readInput: ReadInput
}

class Run {
  readonly #cli: Cli
  readonly #context: RunContext
  readonly #facts: Promise<EngineFacts>
  readonly #byName: ReadonlyMap<string, BuildRequest>
  readonly #started = new Map<string, Promise<BuildResult>>()
  /** Results that other builds begin with, while their own builds are still open. */
  readonly #definitions = new Map<string, PromiseWithResolvers<Definition>>()
  readonly #unused = new Map<string, number>()
  readonly #released = new Map<string, PromiseWithResolvers<void>>()

  constructor(cli: Cli, context: RunContext, requests: readonly BuildRequest[]) {
    this.#cli = cli
    this.#context = context
    this.#facts = engineFacts(context.door)
    this.#facts.catch(() => undefined)
    this.#byName = new Map(requests.map((request) => [request.name, request]))
    for (const request of requests) {
      for (const place of Object.values(request.namedContexts)) {
        const name = place.startsWith('target:') ? place.slice('target:'.length) : undefined
        if (name !== undefined) this.#unused.set(name, (this.#unused.get(name) ?? 0) + 1)
      }
    }
  }

  /** The build of a request, begun once. */
  build(request: BuildRequest): Promise<BuildResult> {
    const known = this.#started.get(request.name)
    if (known) return known
    const begun = this.#build(request)
    begun.catch((error: unknown) => {
      this.#context.onFailure?.(request.name)
      this.#definition(request.name).reject(error)
    })
    this.#started.set(request.name, begun)
    return begun
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#started.values())
  }

  async #build(request: BuildRequest): Promise<BuildResult> {
    const { door, view, signal, warn, readInput } = this.#context
    const exporters = exportersOf(request)
    const targets = outputTargets(this.#cli, exporters)
    const [inputs, facts] = await Promise.all([openInputs(request, readInput), this.#facts])
    const caches = openCacheStores(request)
    for (const warning of caches.warnings) this.#cli.err(`WARNING: ${warning}\n`)
    using services = sessionServices(this.#cli, request, { ...inputs, targets, caches, warn })
    using session = await openSession(this.#cli.engine.transport, services.services, inputs.sharedKey)
    const linked = await this.#linkedInputs(inputs)
    const ref = newBuildRef()
    const pushes = facts.hasSnapshotter ? undefined : pushHere(this.#cli, exporters)
    const imports = caches.imports.map(({ type, attrs }) => ({ Type: type, Attrs: attrs }))
    try {
      const solved = await solve(door, {
        ref,
        sessionId: session.id,
        attributes: {
          ...frontendAttributes(request, facts, this.#cli.env),
          ...inputs.attributes,
          ...linked.attributes,
          ...(imports.length > 0 && { 'cache-imports': JSON.stringify(imports) }),
        },
        exporters: pushes?.exporters ?? exporters,
        cacheExports: caches.exports,
        cacheImports: caches.imports,
        entitlements: entitlementsOf(request),
        inputs: linked.definitions,
        isInternal: request.call !== undefined,
        signal,
        onStatus: (status) => view.take(status, request.name),
        onResult: async (result) => {
          const definition = result.result.case === 'ref' ? result.result.value.def : undefined
          if (definition) this.#definition(request.name).resolve(definition)
          await this.#waitForUsers(request.name, signal)
        },
      })
      recordCaches(caches, solved.exporterResponse['cache.manifest'])
      await pushes?.push()
      return { ref, ...solved }
    } finally {
      for (const name of inputs.linked.values()) this.#release(name)
    }
  }

  #definition(name: string): PromiseWithResolvers<Definition> {
    const known = this.#definitions.get(name) ?? Promise.withResolvers<Definition>()
    known.promise.catch(() => undefined)
    this.#definitions.set(name, known)
    return known
  }

  /** A build that others begin with stays open until they are done. */
  async #waitForUsers(name: string, signal: AbortSignal): Promise<void> {
    if ((this.#unused.get(name) ?? 0) === 0) return
    const waiting = this.#released.get(name) ?? Promise.withResolvers<void>()
    this.#released.set(name, waiting)
    const abort = () => waiting.resolve()
    signal.addEventListener('abort', abort, { once: true })
    await waiting.promise
    signal.removeEventListener('abort', abort)
  }

  #release(name: string): void {
    const left = (this.#unused.get(name) ?? 1) - 1
    this.#unused.set(name, left)
    if (left === 0) this.#released.get(name)?.resolve()
  }

  /** Contexts that are results of other builds, as inputs of this one. */
  async #linkedInputs({ linked }: BuildInputs): Promise<{
    readonly attributes: Readonly<Record<string, string>>
    readonly definitions: Readonly<Record<string, Definition>>
  }> {
    const attributes: Record<string, string> = {}
    const definitions: Record<string, Definition> = {}
    let number = 0
    for (const [context, name] of linked) {
      const request = this.#byName.get(name)
      if (request === undefined) throw new Error(`failed to find target ${name}`)
      this.build(request).catch(() => undefined)
      const key = `${number++}-${context}`
      definitions[key] = await this.#definition(name).promise
      attributes[`context:${context}`] = `input:${key}`
    }
    return { attributes, definitions }
  }
}

const label = 'org.mobyproject.buildkit.worker.'

async function engineFacts({ client }: BuildkitDoor): Promise<EngineFacts> {
  const { record } = await client.call(controlMethods.listWorkers, {})
  const labels = record[0]?.labels ?? {}
  return {
    hasSnapshotter: Object.hasOwn(labels, `${label}snapshotter`),
    hostGateway: labels[`${label}moby.host-gateway-ip`] ?? '',
  }
}

/** What the engine's refusal of a call is to people. */
export function describeBuildFailure(error: unknown): string {
  if (error instanceof DOMException && error.name === 'AbortError')
    return 'failed to run Build function: Canceled: context canceled'
  if (!(error instanceof GrpcError)) return error instanceof Error ? error.message : String(error)
  const name = codeNames[error.code]
  return `failed to solve: ${name === undefined ? '' : `${name}: `}${error.message}`
}

/** Those that gRPC's clients put before a message; an unknown one has no name. */
const codeNames: Readonly<Record<number, string>> = {
  [grpcCode.cancelled]: 'Canceled',
  [grpcCode.invalidArgument]: 'InvalidArgument',
  [grpcCode.notFound]: 'NotFound',
  [grpcCode.resourceExhausted]: 'ResourceExhausted',
  [grpcCode.unimplemented]: 'Unimplemented',
  [grpcCode.internal]: 'Internal',
  [grpcCode.unavailable]: 'Unavailable',
}
