import type { Socket } from 'node:net'

/** How much output may wait for a client, and how long it may make no progress while it holds the others up. */
export interface OutletLimits {
  readonly queueBytes: number
  /** With nobody else to hold up but the process. */
  readonly stallMs: number
  /** While other clients wait for the same output. */
  readonly sharedStallMs: number
}

export const defaultOutletLimits: OutletLimits = { queueBytes: 1024 * 1024, stallMs: 30_000, sharedStallMs: 3_000 }

const writeBytes = 64 * 1024

/**
 * The output side of one client: a queue in front of its socket, of which at most 64 KiB are handed over at a time, so
 * that a client which reads at all is seen to make progress.
 */
export class Outlet {
  readonly #socket: Socket
  readonly #limitBytes: number
  readonly #onRoom: () => void
  #queue: Buffer[] = []
  #queuedBytes = 0
  #writing = false
  #ended = false
  #progressAt = 0

  /** `onRoom` is called when a full outlet is empty again. */
  constructor(socket: Socket, limitBytes: number, onRoom: () => void) {
    this.#socket = socket
    this.#limitBytes = limitBytes
    this.#onRoom = onRoom
  }

  /** Whether the source should pause; what is sent nevertheless is kept. */
  get isFull(): boolean {
    return this.#queuedBytes >= this.#limitBytes
  }

  /** Milliseconds (of `performance.now`) at which the client last took something, or was found idle. */
  get progressAt(): number {
    return this.#progressAt
  }

  send(bytes: Buffer): void {
    if (this.#ended || this.#socket.destroyed) return
    if (this.#queuedBytes === 0) this.#progressAt = performance.now()
    this.#queue.push(bytes)
    this.#queuedBytes += bytes.length
    if (!this.#writing) this.#writeNext()
  }

  /** Closes the connection once everything has been taken. */
  end(): void {
    this.#ended = true
    this.#progressAt = performance.now()
    if (!this.#writing) this.#socket.end()
  }

  #writeNext(): void {
    const [first] = this.#queue
    if (!first) {
      if (this.#ended) this.#socket.end()
      return
    }
    this.#writing = true
    const bytes = this.#take(first)
    this.#socket.write(bytes, (error) => this.#wrote(bytes.length, error))
  }

  /** The next bytes to write: many small frames together, or a part of a large one. */
  #take(first: Buffer): Buffer {
    if (first.length > writeBytes) {
      this.#queue[0] = first.subarray(writeBytes)
      return first.subarray(0, writeBytes)
    }
    let count = 0
    let size = 0
    for (const { length } of this.#queue) {
      if (size + length > writeBytes) break
      size += length
      count++
    }
    const taken = this.#queue.splice(0, count)
    return taken.length === 1 ? first : Buffer.concat(taken, size)
  }

  #wrote(length: number, error: Error | null | undefined): void {
    if (error) return
    const wasFull = this.isFull
    this.#writing = false
    this.#queuedBytes -= length
    this.#progressAt = performance.now()
    this.#writeNext()
    if (wasFull && !this.isFull) this.#onRoom()
  }
}
