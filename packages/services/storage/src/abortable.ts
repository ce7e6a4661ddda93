/**
 * `source`, which fails with the signal's reason as soon as it is aborted, even while an element is awaited. One
 * listener in all: racing every element with a promise would pile up reactions on a long stream.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  signal.throwIfAborted()
  const iterator = source[Symbol.asyncIterator]()
  let waiting = Promise.withResolvers<IteratorResult<T>>()
  const onAbort = () => waiting.reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for (;;) {
      signal.throwIfAborted()
      waiting = Promise.withResolvers()
      iterator.next().then(waiting.resolve, waiting.reject)
      const result = await waiting.promise
      if (result.done) return
      yield result.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: a source that hangs would hang its closing too.
    iterator.return?.().catch(() => {})
  }
}
