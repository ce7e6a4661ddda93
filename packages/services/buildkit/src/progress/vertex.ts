import { messageOf } from '@berth/base'
import type { MessageInitShape } from '@bufbuild/protobuf'
import type { TimestampSchema } from '@berth/buildkit-protocol'
import type { Update } from './progress.ts'
import { now } from './timestamp.ts'

type Timestamp = MessageInitShape<typeof TimestampSchema>

/** What one step may write, as BuildKit has it. */
const maxLogBytes = 2 << 20

/** A status is told as often. */
const statusIntervalMs = 100

interface Identity {
  readonly digest: string
  readonly name: string
  readonly inputs: readonly string[]
}

interface Teller {
  tell(update: Update): void
}

/** One step as clients see it. */
export class Vertex {
  readonly digest: string
  readonly name: string
  readonly #progress: Teller
  readonly #identity: Identity
  #started: Timestamp | undefined
  #isCompleted = false
  #logBytes = 0

  constructor(progress: Teller, identity: Identity) {
    this.digest = identity.digest
    this.name = identity.name
    this.#progress = progress
    this.#identity = identity
  }

  get isCompleted(): boolean {
    return this.#isCompleted
  }

  start(): this {
    if (this.#started) return this
    this.#started = now()
    this.#tell({})
    return this
  }

  complete(state: { readonly isCached?: boolean; readonly error?: string } = {}): void {
    if (this.#isCompleted) return
    this.#isCompleted = true
    this.#started ??= now()
    this.#tell({ completed: now(), cached: state.isCached ?? false, error: state.error ?? '' })
  }

  /** Does work as this vertex. */
  async run<T>(work: (vertex: this) => Promise<T>): Promise<T> {
    this.start()
    try {
      const result = await work(this)
      this.complete()
      return result
    } catch (error) {
      this.complete({ error: messageOf(error) })
      throw error
    }
  }

  log(stream: 1 | 2, msg: Uint8Array): void {
    if (this.#logBytes > maxLogBytes) return
    this.#logBytes += msg.length
    const isClipped = this.#logBytes > maxLogBytes
    const bytes = isClipped ? Buffer.from('\n[output clipped, log limit 2MiB reached]\n') : Buffer.from(msg)
    this.#progress.tell({ logs: [{ vertex: this.digest, timestamp: now(), stream: BigInt(stream), msg: bytes }] })
  }

  /** Something that grows; the result is told how far it is, and at last that it is done. */
  status(id: string): Status {
    return new Status(this.#progress, this.digest, id)
  }

  warn(warning: Omit<NonNullable<Update['warnings']>[number], 'vertex' | '$typeName'>): void {
    this.#progress.tell({ warnings: [{ ...warning, vertex: this.digest }] })
  }

  #tell(state: { readonly completed?: Timestamp; readonly cached?: boolean; readonly error?: string }): void {
    const { digest, name, inputs } = this.#identity
    const started = this.#started
    this.#progress.tell({ vertexes: [{ digest, name, inputs: [...inputs], ...(started && { started }), ...state }] })
  }
}

/** A line beneath a vertex: `transferring context: 2kB`. */
export class Status {
  readonly #progress: Teller
  readonly #vertex: string
  readonly #id: string
  readonly #started = now()
  #toldMs = performance.now()

  constructor(progress: Teller, vertex: string, id: string) {
    this.#progress = progress
    this.#vertex = vertex
    this.#id = id
  }

  readonly update = (current: number): void => {
    if (performance.now() - this.#toldMs >= statusIntervalMs) this.#tell(current, false)
  }

  done(current = 0): void {
    this.#tell(current, true)
  }

  #tell(current: number, isDone: boolean): void {
    this.#toldMs = performance.now()
    const timestamp = now()
    this.#progress.tell({
      statuses: [
        {
          id: this.#id,
          name: this.#id,
          vertex: this.#vertex,
          current: BigInt(current),
          timestamp,
          started: this.#started,
          ...(isDone && { completed: timestamp }),
        },
      ],
    })
  }
}
