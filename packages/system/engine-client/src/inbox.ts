/** Bytes buffered from a connection before it is told to wait. */
const highWaterBytes = 1024 * 1024

/** How the source of an inbox is told to wait, to go on, and to go away. */
export interface InboxSource {
  pause(): void
  resume(): void
  destroy(): void
}

/** What a connection has brought and nobody has read yet: pulled by one reader, bounded by back-pressure. */
export class Inbox {
  readonly #source: InboxSource
  #chunks: Buffer[] = []
  #bufferedBytes = 0
  #isPaused = false
  #ended = false
  #error: Error | undefined
  #waiting: (() => void) | undefined
  #forget: (() => void) | undefined

  constructor(source: InboxSource) {
    this.#source = source
  }

  /** The next bytes; undefined at the end of the stream. Rejects if the connection broke. */
  async read(): Promise<Buffer | undefined> {
    while (this.#chunks.length === 0) {
      if (this.#error !== undefined) throw this.#error
      if (this.#ended) return undefined
      await new Promise<void>((resolve) => (this.#waiting = resolve))
    }
    const chunk = this.#chunks.shift()
    this.#bufferedBytes -= chunk?.length ?? 0
    if (this.#bufferedBytes < highWaterBytes && this.#isPaused) {
      this.#isPaused = false
      this.#source.resume()
    }
    return chunk
  }

  /** Puts back bytes that were read too far. */
  unread(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#chunks.unshift(chunk)
    this.#bufferedBytes += chunk.length
  }

  /** Whether more may come, and nothing has come that was not asked for. */
  get isQuiet(): boolean {
    return !this.#ended && this.#error === undefined && this.#chunks.length === 0
  }

  /** All that is there, for whoever reads on. */
  takeAll(): Buffer {
    this.#bufferedBytes = 0
    return Buffer.concat(this.#chunks.splice(0))
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.#bufferedBytes += chunk.length
    if (this.#bufferedBytes >= highWaterBytes && !this.#isPaused) {
      this.#isPaused = true
      this.#source.pause()
    }
    this.#wake()
  }

  /** Nothing comes any more; with an error, reads reject with the first one once all is read. */
  finish(error?: Error): void {
    this.#ended = true
    this.#error ??= error
    this.#wake()
  }

  /** Aborting the signal destroys the source, and its reason is what reads reject with; undefined: no longer. */
  breakOn(signal: AbortSignal | undefined): void {
    this.#forget?.()
    this.#forget = undefined
    if (signal === undefined) return
    const onAbort = (): void => {
      this.finish(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
      this.#source.destroy()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    this.#forget = () => signal.removeEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.()
  }
}
