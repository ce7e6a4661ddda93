import { type Call, grpcCode, GrpcError, type ReturnRequest, type SolveRequest } from '@berth/buildkit-protocol'
import type { Built } from '../export/export-outcome.ts'
import { Progress } from '../progress/progress.ts'
import { BuildTeller } from '../progress/tell-build.ts'

/** Calls of a build may come before the one that starts it. */
const startWaitMs = 3000

/** One build of a client: several calls on one connection, in any order, tied by its reference. */
export class Job {
  readonly ref: string
  /** RFC 3339. */
  readonly startedAt = new Date().toISOString()
  readonly progress = new Progress()
  readonly steps = new BuildTeller(this.progress)
  readonly #abort = new AbortController()
  readonly #started = Promise.withResolvers<SolveRequest>()
  readonly #returned = Promise.withResolvers<ReturnRequest>()
  #isStarted = false
  warningCount = 0
  /** Of what it has made. */
  readonly outcomeIds: string[] = []
  /** What is said of what was made, where the client wants that. */
  attests: Built['attests']
  /** What was built, as the client was told. */
  frontend: { readonly name: string; readonly attributes: Readonly<Record<string, string>> } | undefined

  constructor(ref: string) {
    this.ref = ref
    this.#started.promise.catch(() => {})
    this.#returned.promise.catch(() => {})
  }

  /** Aborts when the build is given up. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get isStarted(): boolean {
    return this.#isStarted
  }

  start(request: SolveRequest): void {
    if (this.#isStarted) throw new GrpcError(grpcCode.unknown, `job ID ${this.ref} exists`)
    this.#isStarted = true
    this.#started.resolve(request)
  }

  /** The request that started the build; waits for it a little, unless who asks gives up. */
  async request(asking: Pick<Call, 'signal'>): Promise<SolveRequest> {
    if (this.#isStarted) return await this.#started.promise
    const { signal } = asking
    const { promise: late, reject } = Promise.withResolvers<never>()
    const timer = setTimeout(() => reject(new GrpcError(grpcCode.unknown, `no such job ${this.ref}`)), startWaitMs)
    const abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await Promise.race([this.#started.promise, late])
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    }
  }

  /** The client has its results, or failed. */
  finish(result: ReturnRequest): void {
    this.#returned.resolve(result)
  }

  /** What the client says in the end; rejects when the build is given up before. */
  returned(): Promise<ReturnRequest> {
    return this.#returned.promise
  }

  /** Stops what the build does. */
  cancel(): void {
    const reason = new DOMException('context canceled', 'AbortError')
    this.#abort.abort(reason)
    this.#returned.reject(new GrpcError(grpcCode.cancelled, 'context canceled'))
  }
}
