import type { Readable } from 'node:stream'

/** Somebody else's stream, to be read and given back. */
export interface Borrowed extends AsyncIterable<Uint8Array>, Disposable {}

/**
 * Reads `stream` without destroying it when the reading is given up: a request's body that were destroyed would take
 * the connection along, and with it the answer that says what was wrong. What is left is drained when it is given back,
 * for a client may send all before it listens.
 */
export function borrowed(stream: Readable): Borrowed {
  const iterator = stream.iterator({ destroyOnReturn: false })
  const release = async () => {
    await iterator.return?.()
    if (!stream.destroyed) stream.resume()
  }
  return {
    [Symbol.asyncIterator]: () => iterator,
    // Not awaited: a piece that is still under way comes first, and its sender may be waiting for the answer.
    [Symbol.dispose]: () => void release().catch(() => {}),
  }
}
