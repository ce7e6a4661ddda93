/** What one build has of its client: disposing stops what still comes, and removes what has come. */
export class Transfers implements AsyncDisposable {
  readonly received = new AsyncDisposableStack()
  readonly signal: AbortSignal
  readonly #ended = new AbortController()
  readonly #expected: Promise<unknown>[] = []

  constructor(signal: AbortSignal) {
    this.signal = AbortSignal.any([signal, this.#ended.signal])
  }

  /** Something that comes before it is asked for: its failure is that of whoever asks. */
  expect(transfer: Promise<unknown>): void {
    transfer.catch(() => {})
    this.#expected.push(transfer)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new DOMException('context canceled', 'AbortError'))
    await Promise.allSettled(this.#expected)
    await this.received[Symbol.asyncDispose]()
  }
}
