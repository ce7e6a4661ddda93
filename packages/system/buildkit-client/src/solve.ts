import { randomBytes } from 'node:crypto'
import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Definition,
  type GatewaySolveResponse,
  GrpcError,
  type Result,
  type SolveRequestSchema,
  type StatusResponse,
} from '@berth/buildkit-protocol'
import { bridgeMethods, type BuildkitDoor, controlMethods } from './open-doors.ts'

/** One `--output`, `--cache-from` or `--cache-to` as the engine takes it. */
export interface TypedAttributes {
  readonly type: string
  readonly attrs: Readonly<Record<string, string>>
}

/** What a build is made of, once all of it is decided. */
export interface SolveOptions {
  readonly ref: string
  readonly sessionId: string
  /** The Dockerfile frontend's attributes. */
  readonly attributes: Readonly<Record<string, string>>
  readonly exporters: readonly TypedAttributes[]
  readonly cacheExports: readonly TypedAttributes[]
  readonly cacheImports: readonly TypedAttributes[]
  readonly entitlements: readonly string[]
  /** Results of other builds, by the names that `attributes` call them by. */
  readonly inputs: Readonly<Record<string, Definition>>
  /** A question only: it is no build that the engine remembers. */
  readonly isInternal: boolean
  readonly signal: AbortSignal
  readonly onStatus: (status: StatusResponse) => void
  /** Hears of the result before it is exported, while the engine holds it. */
  readonly onResult?: (result: Result) => Promise<void> | void
}

export interface Solved {
  readonly exporterResponse: Readonly<Record<string, string>>
  /** What the frontend says of its result, or answers. */
  readonly metadata: Readonly<Record<string, Uint8Array>>
}

/** A new name of a build. */
export const newBuildRef = (): string =>
  BigInt(`0x${randomBytes(17).toString('hex')}`)
    .toString(36)
    .slice(0, 25)

/**
 * Runs a build as BuildKit's clients do: Control.Solve opens it and waits, the bridge solves the Dockerfile, and Return ends
 * it, upon which the result is exported. Rejects with the engine's `GrpcError`.
 */
export async function solve({ client }: BuildkitDoor, options: SolveOptions): Promise<Solved> {
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const { ref, onStatus } = options
  const solving = client.call(controlMethods.solve, solveRequest(options), { signal })
  const status = follow(client.open(controlMethods.status, { signal }), ref, onStatus)
  status.catch(() => undefined)
  try {
    const bridging = runBridge({ client }, options, signal)
    // Whichever fails first is the reason; the bridge waits for Solve.
    bridging.catch(() => undefined)
    const [{ exporterResponse }, metadata] = await Promise.all([solving, bridging])
    await status.catch(() => undefined)
    return { exporterResponse, metadata }
  } catch (error) {
    // What was said of it comes before the error.
    if (!options.signal.aborted) await Promise.race([status.catch(() => undefined), timeout(1000)])
    failed.abort(error)
    throw options.signal.aborted ? options.signal.reason : error
  }
}

const timeout = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds).unref())

function solveRequest(options: SolveOptions): MessageInitShape<typeof SolveRequestSchema> {
  const [first] = options.exporters
  return {
    ref: options.ref,
    session: options.sessionId,
    exporters: options.exporters.map(message),
    ...(first && { exporterDeprecated: first.type, exporterAttrsDeprecated: { ...first.attrs } }),
    cache: { exports: options.cacheExports.map(message), imports: options.cacheImports.map(message) },
    entitlements: [...options.entitlements],
    frontendAttrs: { ...options.attributes },
    internal: options.isInternal,
  }
}

const message = ({ type, attrs }: TypedAttributes) => ({ type, attrs: { ...attrs } })

async function runBridge(
  { client }: Pick<BuildkitDoor, 'client'>,
  options: SolveOptions,
  signal: AbortSignal,
): Promise<Record<string, Uint8Array>> {
  const metadata = { 'buildkit-controlapi-buildid': options.ref }
  let answer: GatewaySolveResponse
  try {
    const { attributes, inputs } = options
    const request = {
      frontend: 'dockerfile.v0',
      frontendOpt: { ...attributes },
      frontendInputs: { ...inputs },
      allowResultReturn: true,
      allowResultArrayRef: true,
    }
    answer = await client.call(bridgeMethods.solve, request, { metadata, signal })
    if (answer.result) await options.onResult?.(answer.result)
  } catch (error) {
    if (!(error instanceof GrpcError) || signal.aborted) throw error
    const { code, message: text, details } = error
    await client.call(
      bridgeMethods.return,
      { error: { code, message: text, details: [...details] } },
      { metadata, signal },
    )
    throw error
  }
  const { result } = answer
  // An answer is no image.
  const returned = options.isInternal ? { metadata: result?.metadata ?? {} } : (result ?? {})
  await client.call(bridgeMethods.return, { result: returned }, { metadata, signal })
  return result?.metadata ?? {}
}

interface StatusCall {
  send(request: { readonly ref: string }): Promise<void>
  end(): void
  readonly messages: AsyncIterable<StatusResponse>
}

async function follow(call: StatusCall, ref: string, onStatus: (status: StatusResponse) => void): Promise<void> {
  await call.send({ ref })
  call.end()
  for await (const status of call.messages) onStatus(status)
}
