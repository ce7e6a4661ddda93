import { leastHead, type SocketBytes } from '@berth/base'
import { duplicate } from '@berth/linux'
import { Socket } from 'node:net'

/** As much as a socket holds, and no more than a processor's cache does. */
const readBytes = 256 << 10

/** How long what nobody wants is read on, so that a client that sends all before it listens hears the answer. */
const lingerMs = 2000

/**
 * Reads `SocketBytes` into one and the same memory: but for the first, a chunk is only lent until the next is asked for.
 * A socket that ends too soon is an error of code ECONNRESET. What is unread when it is disposed of is read and dropped.
 */
export class SocketReader implements AsyncIterable<Uint8Array>, Disposable {
  readonly #head: Uint8Array
  readonly #socket: Socket
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes)
  readonly #signal: AbortSignal
  /** Bytes that were not read yet. */
  #left: number
  #chunk: Uint8Array | undefined
  #hasEnded = false
  #isDropping = false
  #wake: () => void = () => {}

  constructor({ fd, head, sizeBytes }: SocketBytes, signal: AbortSignal) {
    if (head.length < leastHead) throw new Error('the head is too short to tell what follows')
    this.#head = head
    this.#left = sizeBytes
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
    const onread = { buffer: this.#buffer, callback: (length: number) => this.#onRead(length) }
    this.#socket = new Socket({ fd: duplicate(fd), readable: true, writable: false, allowHalfOpen: true, onread })
    this.#socket.on('error', () => this.#onEnd())
    this.#socket.on('end', () => this.#onEnd())
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    const head = this.#head
    yield head
    while (this.#left > 0 || this.#chunk) {
      this.#signal.throwIfAborted()
      const chunk = this.#chunk
      this.#chunk = undefined
      if (chunk) yield chunk
      else if (this.#hasEnded) throw Object.assign(new Error('the client is gone'), { code: 'ECONNRESET' })
      else await this.#read()
    }
  }

  [Symbol.dispose](): void {
    if (this.#left === 0 || this.#hasEnded || this.#signal.aborted) return void this.#socket.destroy()
    this.#isDropping = true
    this.#socket.setTimeout(lingerMs, () => this.#socket.destroy())
    this.#socket.resume()
  }

  #read(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      this.#socket.resume()
    })
  }

  /** False stops the reading until it is asked for again. */
  #onRead(length: number): boolean {
    const used = Math.min(length, this.#left)
    this.#left -= used
    if (this.#isDropping) {
      if (this.#left === 0) this.#socket.destroy()
      return this.#left > 0
    }
    this.#chunk = this.#buffer.subarray(0, used)
    this.#wake()
    return false
  }

  #onEnd(): void {
    this.#hasEnded = true
    this.#wake()
  }
}
