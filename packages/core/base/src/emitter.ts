/** One kind of announcement with many listeners. A listener that throws is reported and harms no other. */
export class Emitter<T> {
  readonly #listeners = new Set<(value: T) => void>()
  readonly #report: (error: unknown) => void

  constructor(
    report: (error: unknown) => void = (error) =>
      queueMicrotask(() => {
        throw error
      }),
  ) {
    this.#report = report
  }

  on(listener: (value: T) => void): Disposable {
    const own = (value: T) => listener(value)
    this.#listeners.add(own)
    return { [Symbol.dispose]: () => void this.#listeners.delete(own) }
  }

  emit(value: T): void {
    for (const listener of this.#listeners) {
      try {
        listener(value)
      } catch (error) {
        this.#report(error)
      }
    }
  }
}
