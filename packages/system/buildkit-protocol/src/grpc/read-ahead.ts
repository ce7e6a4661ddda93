import type { Readable } from 'node:stream'

/** Bytes that wait before the other side has to. */
const aheadBytes = 1 << 20

/** Reads a stream before anybody asks, to a bound; keeps what came for whoever reads it later. */
export class ReadAhead {
  readonly #stream: Readable
  #chunks: Buffer[] = []
  #bytes = 0
  #state: 'open' | 'ended' | 'broken' = 'open'
  #wake = () => {}

  constructor(stream: Readable) {
    this.#stream = stream
    stream.on('data', (chunk: Buffer) => this.#take(chunk))
    stream.once('end', () => this.#finish('ended'))
    stream.once('close', () => this.#finish('broken'))
  }

  /** What has come since the last time; undefined at the end. Throws for a stream that was closed before its end. */
  async next(): Promise<readonly Buffer[] | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#state === 'ended') return undefined
      if (this.#state === 'broken') throw new Error('the stream was closed')
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const chunks = this.#chunks
    this.#chunks = []
    this.#bytes = 0
    if (this.#stream.isPaused()) this.#stream.resume()
    return chunks
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes >= aheadBytes) this.#stream.pause()
    this.#wake()
  }

  #finish(state: 'ended' | 'broken'): void {
    if (this.#state === 'open') this.#state = state
    this.#wake()
  }
}
