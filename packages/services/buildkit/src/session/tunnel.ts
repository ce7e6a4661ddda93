import { Duplex } from 'node:stream'

/** As much goes into one message. */
const maxChunkBytes = 1 << 20

/** A connection that travels in messages of a call: what comes in is read from `socket`, what is written to it goes out. */
export class Tunnel {
  readonly socket: Duplex
  readonly #outgoing: { readonly bytes: Buffer; readonly sent: () => void }[] = []
  #isOver = false
  #wake: () => void = () => {}

  constructor() {
    this.socket = new Duplex({
      read: () => this.#onRead(),
      write: (bytes: Buffer, _encoding, sent) => {
        this.#outgoing.push({ bytes, sent })
        this.#wake()
      },
      final: (done) => {
        this.#stop()
        done()
      },
      destroy: (error, done) => {
        this.#stop()
        done(error)
      },
    })
  }

  #onRead: () => void = () => {}

  /** Reads the messages as fast as the socket is read. */
  async receive(messages: AsyncIterable<{ readonly data: Uint8Array }>): Promise<void> {
    try {
      for await (const { data } of messages) {
        if (this.socket.destroyed) return
        if (data.length === 0 || this.socket.push(Buffer.from(data))) continue
        await new Promise<void>((resolve) => (this.#onRead = resolve))
      }
      this.socket.push(null)
    } catch {
      // The call is over, and with it the connection.
      this.socket.destroy()
    }
  }

  /** What is written to the socket. */
  async *sent(): AsyncGenerator<{ readonly data: Buffer }> {
    for (;;) {
      const next = this.#outgoing.shift()
      if (next) {
        for (let at = 0; at < next.bytes.length; at += maxChunkBytes) {
          yield { data: next.bytes.subarray(at, at + maxChunkBytes) }
        }
        next.sent()
        continue
      }
      if (this.#isOver) return
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  #stop(): void {
    this.#isOver = true
    this.#onRead()
    this.#wake()
  }
}
