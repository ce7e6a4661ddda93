import { type BodyDecoder, createBodyDecoder, isKind, type SocketBytes } from '@berth/base'
import { duplicate } from '@berth/linux'
import { Socket } from 'node:net'

/** As much as a socket holds, and no more than a processor's cache does. */
const readBytes = 256 << 10

/** Enough of a body to tell what it is. */
const leastHead = 512

/**
 * Reads `SocketBytes` into one and the same memory: but for the first, a chunk is only lent until the next is asked for.
 * A socket that ends too soon is an error of code ECONNRESET. What is unread when it is disposed of stays unread.
 */
export class SocketReader implements AsyncIterable<Uint8Array>, Disposable {
  readonly #decoder: BodyDecoder
  readonly #socket: Socket
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes)
  readonly #signal: AbortSignal
  /** Read, and not taken apart yet. */
  #bytes: Uint8Array
  #hasEnded = false
  #wake: () => void = () => {}

  constructor({ fd, head, framing }: SocketBytes, signal: AbortSignal) {
    this.#decoder = createBodyDecoder(framing)
    this.#bytes = head
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    const onread = { buffer: this.#buffer, callback: (length: number) => this.#onRead(length) }
    this.#socket = new Socket({ fd: duplicate(fd), readable: true, writable: false, allowHalfOpen: true, onread })
    this.#socket.on('error', () => this.#onEnd())
    this.#socket.on('end', () => this.#onEnd())
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    let head: Uint8Array[] | undefined = []
    let headBytes = 0
    for await (const part of this.#parts()) {
      if (!head) {
        yield part
        continue
      }
      head.push(Buffer.from(part))
      headBytes += part.length
      if (headBytes < leastHead) continue
      yield Buffer.concat(head)
      head = undefined
    }
    if (headBytes > 0 && head) yield Buffer.concat(head)
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  async *#parts(): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#signal.throwIfAborted()
      yield* this.#decoded()
      if (this.#decoder.isComplete) return
      if (this.#hasEnded) throw Object.assign(new Error('the client is gone'), { code: 'ECONNRESET' })
      await this.#read()
    }
  }

  /**
   * Reads and drops what is left of the body, for a while: a client that is answered while it sends may take that for a
   * fault of the connection.
   */
  async drop(withinMs: number): Promise<void> {
    const timer = setTimeout(() => this.#onEnd(), withinMs)
    try {
      for (this.#decoded(); !this.#decoder.isComplete && !this.#hasEnded; this.#decoded()) await this.#read()
    } catch (error) {
      // What is no chunked coding has no end to wait for.
      if (!isKind(error, 'invalid')) throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** What was read, taken apart once. */
  #decoded(): Uint8Array[] {
    const bytes = this.#bytes
    this.#bytes = bytes.subarray(0, 0)
    return this.#decoder.decode(bytes)
  }

  /** Waits for what the socket has, if it has not ended. */
  #read(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#socket.resume()
    })
  }

  /** False stops the reading until it is asked for again. */
  #onRead(length: number): boolean {
    this.#bytes = this.#buffer.subarray(0, length)
    this.#wake()
    return false
  }

  #onEnd(): void {
    this.#hasEnded = true
    this.#wake()
  }
}
