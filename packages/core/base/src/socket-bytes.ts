import type { BodyFraming } from './body-decoder.ts'

/** A body that still stands in a socket: whoever is given it reads the socket himself. */
export interface SocketBytes {
  /** A connected stream socket, not blocking, that nobody else reads meanwhile. It stays its owner's. */
  readonly fd: number
  /** What was read already: it may be nothing, and more than the body. */
  readonly head: Uint8Array
  /** How `head` and what comes after it are to be read. */
  readonly framing: BodyFraming
}

/** A stream that need not be read here: it can be taken over with the socket that it comes from. */
export interface SocketSource extends AsyncIterable<Uint8Array> {
  /** Asked before anything is read. After an answer nothing is read here any more; undefined: it must be. */
  takeSocket(): SocketBytes | undefined
}

export const isSocketSource = (source: AsyncIterable<Uint8Array>): source is SocketSource => 'takeSocket' in source

/** A connection to which others write. */
export interface SocketTarget {
  /** A connected stream socket, not blocking, that nobody else writes to meanwhile. It stays its owner's. */
  readonly fd: number
  /** Awaited when the first bytes are known and none is written yet. */
  readonly begin: () => Promise<void>
}

/** A stream that need not be read here: whoever makes it can write it to a socket himself. */
export interface SocketStream extends AsyncIterable<Uint8Array> {
  /**
   * Instead of reading: all that comes as chunks of HTTP's chunked coding (RFC 9112, 7.1), without the last one, which
   * ends them.
   */
  writeTo(target: SocketTarget): Promise<void>
  /** Stops it; `writeTo()` rejects. */
  destroy(): unknown
}

export const isSocketStream = (stream: object): stream is SocketStream => 'writeTo' in stream
