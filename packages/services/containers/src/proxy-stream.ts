import { Duplex } from 'node:stream'

export interface ProxyOptions {
  /** Looks at input before it is passed on; `ends` closes the stream as if the other side had ended. */
  readonly filterInput?: (chunk: Buffer) => { readonly forward: Buffer; readonly ends: boolean }
  /** Awaited after the last output and before the end is shown. */
  readonly beforeEnd?: () => Promise<unknown>
  /** Shown before anything of the remote's. */
  readonly first?: AsyncIterable<Buffer>
}

/** A duplex in front of `remote` with back-pressure both ways; destroying either destroys both. */
export class ProxyStream extends Duplex {
  readonly #remote: Duplex
  readonly #options: ProxyOptions
  #hasEnded = false
  /** Someone listens to the remote's data: until then a flowing remote would lose it. */
  #isFlowing = false
  #wanted = Promise.withResolvers<void>()

  constructor(remote: Duplex, options: ProxyOptions) {
    super({ allowHalfOpen: true })
    this.#remote = remote
    this.#options = options
    remote.on('error', () => undefined)
    void this.#run(options.first)
  }

  override _read(): void {
    this.#wanted.resolve()
    if (this.#isFlowing) this.#remote.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const { forward, ends } = this.#options.filterInput?.(chunk) ?? { forward: chunk, ends: false }
    const finish = () => {
      if (ends) this.#remote.destroy()
      done()
    }
    // A process that closed its input is no error of the client's.
    if (forward.length > 0 && !this.#remote.destroyed) this.#remote.write(forward, finish)
    else finish()
  }

  override _final(done: () => void): void {
    if (this.#remote.destroyed) done()
    else this.#remote.end(done)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#hasEnded = true
    this.#wanted.resolve()
    this.#remote.destroy()
    done(error)
  }

  async #run(first: AsyncIterable<Buffer> | undefined): Promise<void> {
    if (first) await this.#show(first).catch((error: Error) => void this.destroy(error))
    this.#isFlowing = true
    this.#remote.on('data', (chunk: Buffer) => {
      if (!this.#hasEnded && !this.push(chunk)) this.#remote.pause()
    })
    for (const event of ['end', 'close', 'error']) this.#remote.on(event, () => void this.#end())
    if (this.#remote.readableEnded || this.#remote.destroyed) await this.#end()
  }

  async #show(first: AsyncIterable<Buffer>): Promise<void> {
    for await (const chunk of first) {
      if (this.destroyed) return
      this.#wanted = Promise.withResolvers<void>()
      if (!this.push(chunk)) await this.#wanted.promise
    }
  }

  async #end(): Promise<void> {
    if (this.#hasEnded) return
    this.#hasEnded = true
    await this.#options.beforeEnd?.().catch(() => undefined)
    if (!this.destroyed) this.push(null)
  }
}
