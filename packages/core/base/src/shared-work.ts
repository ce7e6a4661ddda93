interface Work<T, P> {
  readonly promise: Promise<T>
  readonly abort: AbortController
  readonly listeners: Set<(progress: P) => void>
  last: { readonly progress: P } | undefined
}

export interface JoinOptions<P> {
  readonly signal?: AbortSignal | undefined
  /** Hears how far the work is, also what was said before. */
  readonly onProgress?: ((progress: P) => void) | undefined
}

/** Work that is done once for all who want it at the same time; the last one who loses interest stops it. */
export class SharedWork<T, P = never> {
  readonly #works = new Map<string, Work<T, P>>()

  /** True while somebody is at it. */
  has(key: string): boolean {
    return this.#works.has(key)
  }

  /** Begins the work of `key`, or waits for that which is under way. */
  async join(
    key: string,
    begin: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>,
    { signal, onProgress }: JoinOptions<P> = {},
  ): Promise<T> {
    signal?.throwIfAborted()
    const work = this.#works.get(key) ?? this.#begin(key, begin)
    const listener = onProgress ?? (() => {})
    work.listeners.add(listener)
    if (work.last) listener(work.last.progress)
    const { promise: left, reject } = Promise.withResolvers<never>()
    const leave = () => reject(signal?.reason as Error)
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([work.promise, left])
    } catch (error) {
      if (work.listeners.size > 1 || !signal?.aborted) throw error
      // Its end is waited for: what it has brought by then is ours to look after.
      this.#forget(key, work)
      work.abort.abort(error)
      return await work.promise
    } finally {
      signal?.removeEventListener('abort', leave)
      work.listeners.delete(listener)
    }
  }

  /** Who comes now begins anew. */
  #forget(key: string, work: Work<T, P>): void {
    if (this.#works.get(key) === work) this.#works.delete(key)
  }

  #begin(key: string, begin: (signal: AbortSignal, report: (progress: P) => void) => Promise<T>): Work<T, P> {
    const abort = new AbortController()
    const listeners = new Set<(progress: P) => void>()
    const report = (progress: P) => {
      work.last = { progress }
      for (const listener of listeners) listener(progress)
    }
    // In a turn of its own, so that nothing is reported before there is somebody to hear it.
    const promise = Promise.resolve().then(() => begin(abort.signal, report))
    const work: Work<T, P> = { promise, abort, listeners, last: undefined }
    this.#works.set(key, work)
    const forget = () => this.#forget(key, work)
    promise.then(forget, forget)
    return work
  }
}
