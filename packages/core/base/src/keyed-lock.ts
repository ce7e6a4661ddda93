/** Mutual exclusion per key, first come first served. A key costs nothing while nobody holds it. */
export class KeyedLock<K> {
  readonly #tails = new Map<K, Promise<void>>()

  /** Runs `work` when every earlier holder of `key` has settled; not re-entrant. */
  async run<T>(key: K, work: () => Promise<T> | T): Promise<T> {
    using _ = await this.acquire(key)
    return await work()
  }

  /** Resolves to the held lock; dispose it to let the next one in. */
  async acquire(key: K): Promise<Disposable> {
    const before = this.#tails.get(key)
    const { promise, resolve } = Promise.withResolvers<void>()
    const tail = before ? before.then(() => promise) : promise
    this.#tails.set(key, tail)
    await before
    return {
      [Symbol.dispose]: () => {
        if (this.#tails.get(key) === tail) this.#tails.delete(key)
        resolve()
      },
    }
  }

  isHeld(key: K): boolean {
    return this.#tails.has(key)
  }
}
