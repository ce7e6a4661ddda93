import { duplicate } from '@berth/linux'
import { Socket } from 'node:net'

/** Writes chunks of HTTP's chunked coding to a socket that somebody else owns. */
export class SocketWriter implements Disposable {
  readonly #socket: Socket
  #last: Promise<void> = Promise.resolve()

  constructor(fd: number, signal: AbortSignal) {
    this.#socket = new Socket({ fd: duplicate(fd), readable: false, writable: true })
    // Told to whoever waits for what he wrote.
    this.#socket.on('error', () => {})
    signal.addEventListener('abort', () => this.#socket.destroy(), { once: true })
  }

  /** The chunk's memory is lent until the next call has returned: one is written while the next is made. */
  async write(chunk: Uint8Array): Promise<void> {
    const before = this.#last
    this.#last = this.#send(chunk)
    this.#last.catch(() => {})
    await before
  }

  /** Waits until all is written. */
  async end(): Promise<void> {
    await this.#last
  }

  [Symbol.dispose](): void {
    this.#socket.destroy()
  }

  #send(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.cork()
      this.#socket.write(`${chunk.length.toString(16)}\r\n`)
      this.#socket.write(chunk)
      this.#socket.write('\r\n', (error) => (error ? reject(error) : resolve()))
      this.#socket.uncork()
    })
  }
}
