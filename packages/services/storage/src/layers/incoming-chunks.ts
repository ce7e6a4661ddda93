/** Chunks that may be under way to a sink. */
const window = 8

/** The chunks that another thread sends, as they are read: it is asked for a new one whenever one was taken. */
export class IncomingChunks implements AsyncIterable<Uint8Array> {
  readonly #want: (chunks: number) => void
  readonly #signal: AbortSignal
  readonly #chunks: Uint8Array[] = []
  #hasEnded = false
  #wake: () => void = () => {}

  constructor(want: (chunks: number) => void, signal: AbortSignal) {
    this.#want = want
    this.#signal = signal
    signal.addEventListener('abort', () => this.#wake(), { once: true })
  }

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#wake()
  }

  /** No more will be added. */
  end(): void {
    this.#hasEnded = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    this.#want(window)
    for (;;) {
      this.#signal.throwIfAborted()
      const chunk = this.#chunks.shift()
      if (chunk === undefined) {
        if (this.#hasEnded) return
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      this.#want(1)
      yield chunk
    }
  }
}
