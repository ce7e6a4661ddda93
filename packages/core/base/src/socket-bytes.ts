/** Bytes that still stand in a socket: whoever is given them reads the socket himself. */
export interface SocketBytes {
  /** A connected stream socket, not blocking, that nobody else reads meanwhile. It stays its owner's. */
  readonly fd: number
  /** What was read already, `leastHead` bytes or more: enough to tell what follows. */
  readonly head: Uint8Array
  /** How much comes after `head`. */
  readonly sizeBytes: number
}

export const leastHead = 512

/** A stream that need not be read here: it can be taken over with the socket that it comes from. */
export interface SocketSource extends AsyncIterable<Uint8Array> {
  /** Asked before anything is read. After an answer nothing is read here any more; undefined: it must be. */
  takeSocket(): Promise<SocketBytes | undefined>
}

export const isSocketSource = (source: AsyncIterable<Uint8Array>): source is SocketSource => 'takeSocket' in source
