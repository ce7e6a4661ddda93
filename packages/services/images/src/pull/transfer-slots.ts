/** Lets so many do their work at a time; the others wait in order. */
export class TransferSlots {
  readonly #limit: () => number
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor(limit: () => number) {
    this.#limit = limit
  }

  /** Resolves with what gives the slot back. `onWait` hears that it will take a while. */
  async take(signal: AbortSignal, onWait: () => void = () => {}): Promise<Disposable> {
    signal.throwIfAborted()
    if (this.#taken < this.#limit()) {
      this.#taken++
    } else {
      onWait()
      await this.#handedOver(signal)
    }
    return { [Symbol.dispose]: () => this.#release() }
  }

  /** A slot goes straight from one to the next, so that nobody slips in between. */
  #release(): void {
    const next = this.#taken <= this.#limit() ? this.#waiting.shift() : undefined
    if (next) next()
    else this.#taken--
  }

  async #handedOver(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = () => {
      const at = this.#waiting.indexOf(resolve)
      if (at >= 0) this.#waiting.splice(at, 1)
      else this.#release()
      reject(signal.reason as Error)
    }
    this.#waiting.push(resolve)
    signal.addEventListener('abort', leave, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', leave)
    }
  }
}
