import type { Duplex } from 'node:stream'
import { GrpcClient, grpcCode, GrpcError, sessionMethods } from '@berth/buildkit-protocol'

const healthIntervalMs = 5000
const healthTimeoutMs = 30_000

export interface SessionIdentity {
  readonly id: string
  readonly sharedKey: string
}

/** A client that the engine may ask for files, secrets and the like. */
export class Session implements Disposable {
  readonly id: string
  /** What the client calls its directories by, from one build to the next; '' for none. */
  readonly sharedKey: string
  readonly client: GrpcClient
  readonly #health: NodeJS.Timeout
  #failures = 0

  constructor({ id, sharedKey }: SessionIdentity, socket: Duplex, onClose: () => void) {
    this.id = id
    this.sharedKey = sharedKey
    this.client = new GrpcClient(socket, () => {
      clearInterval(this.#health)
      onClose()
    })
    this.#health = setInterval(() => void this.#check(), healthIntervalMs).unref()
  }

  [Symbol.dispose](): void {
    this.client[Symbol.dispose]()
  }

  /** A client that hangs twice is given up; one that knows no such service is there all the same. */
  async #check(): Promise<void> {
    try {
      await this.client.call(sessionMethods.health, {}, { signal: AbortSignal.timeout(healthTimeoutMs) })
      this.#failures = 0
    } catch (error) {
      const answered = error instanceof GrpcError && error.code === grpcCode.unimplemented
      if (!answered && ++this.#failures >= 2) this[Symbol.dispose]()
    }
  }
}
