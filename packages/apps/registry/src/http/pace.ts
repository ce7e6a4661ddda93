import type { Socket } from 'node:net'

interface Watched {
  readonly socket: Socket
  readonly movedBytes: () => number
  before: number
}

/** Ends connections on which bytes move slower than they must: a client that trickles holds no place for long. */
export class Pace implements Disposable {
  readonly #leastBytes: number
  readonly #watched = new Set<Watched>()
  readonly #timer: NodeJS.Timeout

  constructor(leastBytesPerSecond: number, windowMs: number) {
    this.#leastBytes = (leastBytesPerSecond * windowMs) / 1000
    this.#timer = setInterval(() => this.#check(), windowMs).unref()
  }

  /** While the client sends. */
  watchReceiving(socket: Socket): Disposable {
    return this.#watch(socket, () => socket.bytesRead)
  }

  /** While the client is sent to. */
  watchSending(socket: Socket): Disposable {
    return this.#watch(socket, () => socket.bytesWritten - socket.writableLength)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }

  #watch(socket: Socket, movedBytes: () => number): Disposable {
    // The window in which it began does not count.
    const entry = { socket, movedBytes, before: -Infinity }
    this.#watched.add(entry)
    return { [Symbol.dispose]: () => void this.#watched.delete(entry) }
  }

  #check(): void {
    for (const entry of this.#watched) {
      const now = entry.movedBytes()
      if (now - entry.before < this.#leastBytes) entry.socket.destroy(new Error('the client is too slow'))
      entry.before = now
    }
  }
}
