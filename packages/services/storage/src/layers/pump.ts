import { gathered } from '@berth/base'

/** Where chunks go. */
export interface SinkHandle {
  /** The chunk's memory goes along. */
  readonly send: (chunk: Buffer<ArrayBuffer>) => void
  readonly end: () => void
  readonly cancel: () => void
}

/** Carries chunks to a sink, one for each that it has asked for. */
export class Pump {
  readonly #chunks: AsyncGenerator<Buffer<ArrayBuffer>, void>
  #allowed = 0
  #isStopped = false
  #wake: () => void = () => {}

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = gathered(source)
  }

  readonly allow = (chunks: number): void => {
    this.#allowed += chunks
    this.#wake()
  }

  /** The sink takes no more. */
  readonly stop = (): void => {
    this.#isStopped = true
    this.#wake()
    // Not awaited: it comes after a piece that may never come.
    this.#chunks.return().catch(() => {})
  }

  async run(sink: SinkHandle): Promise<void> {
    while (!this.#isStopped) {
      if (this.#allowed === 0) {
        await new Promise<void>((resolve) => (this.#wake = resolve))
        continue
      }
      const { value, done } = await this.#nextOrStop()
      if (done) return sink.end()
      this.#allowed--
      sink.send(value)
    }
  }

  /** A source that says nothing more must not keep a sink that has failed. */
  async #nextOrStop(): Promise<IteratorResult<Buffer<ArrayBuffer>, void>> {
    const stopped = new Promise<{ done: true; value: undefined }>((resolve) => {
      this.#wake = () => this.#isStopped && resolve({ done: true, value: undefined })
    })
    return await Promise.race([this.#chunks.next(), stopped])
  }
}
