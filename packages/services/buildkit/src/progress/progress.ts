import type { MessageInitShape } from '@bufbuild/protobuf'
import { randomBytes } from 'node:crypto'
import type { StatusResponseSchema } from '@berth/buildkit-protocol'
import { Vertex } from './vertex.ts'

export type Update = MessageInitShape<typeof StatusResponseSchema>

/** As many updates go into one message. */
const maxMerged = 500

/** What happens in one build, for whoever follows it: from its beginning, at any time. */
export class Progress {
  readonly #updates: Update[] = []
  readonly #waiting = new Set<() => void>()
  /** Vertices have the shape of digests, and are told apart by them. */
  readonly #salt = randomBytes(24).toString('hex')
  #vertices = 0
  #isOver = false
  /** Of all that steps have written. */
  sizeBytes = 0

  /** A new vertex of the graph, which clients show as a step. */
  vertex(name: string, inputs: readonly string[] = []): Vertex {
    const digest = `sha256:${this.#salt}${(this.#vertices++).toString(16).padStart(16, '0')}`
    return new Vertex(this, { digest, name, inputs })
  }

  tell(update: Update): void {
    this.#updates.push(update)
    for (const { msg } of update.logs ?? []) this.sizeBytes += msg?.length ?? 0
    this.#wake()
  }

  /** Nothing more happens. */
  end(): void {
    this.#isOver = true
    this.#wake()
  }

  /** All updates, several in one where they are behind. */
  async *follow(signal: AbortSignal): AsyncGenerator<Update> {
    const wake = () => this.#wake()
    signal.addEventListener('abort', wake)
    try {
      for (let at = 0; !signal.aborted;) {
        if (at < this.#updates.length) {
          const some = this.#updates.slice(at, at + maxMerged)
          at += some.length
          yield merge(some)
        } else if (this.#isOver) return
        else await new Promise<void>((resolve) => this.#waiting.add(resolve))
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}

const merge = (updates: readonly Update[]): Update =>
  updates.length === 1
    ? (updates[0] as Update)
    : {
        vertexes: updates.flatMap(({ vertexes = [] }) => vertexes),
        statuses: updates.flatMap(({ statuses = [] }) => statuses),
        logs: updates.flatMap(({ logs = [] }) => logs),
        warnings: updates.flatMap(({ warnings = [] }) => warnings),
      }
