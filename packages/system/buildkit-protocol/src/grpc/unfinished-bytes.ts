import type { Http2Session } from 'node:http2'
import { grpcCode, GrpcError } from './error.ts'

/** Of messages that have come in part, on one connection: some of the largest at once. */
const maxUnfinishedBytes = 64 << 20

/** What the streams of a connection hold of messages whose rest has not come. */
export class UnfinishedBytes {
  #bytes = 0

  /** Throws `resourceExhausted` when it is more than one connection may have. */
  hold(bytes: number): void {
    if (this.#bytes + bytes > maxUnfinishedBytes) {
      throw new GrpcError(grpcCode.resourceExhausted, `more than ${maxUnfinishedBytes} bytes of unfinished messages`)
    }
    this.#bytes += bytes
  }

  release(bytes: number): void {
    this.#bytes -= bytes
  }
}

const ofSessions = new WeakMap<Http2Session, UnfinishedBytes>()

/** The count that all streams of a connection share; of none: one of its own. */
export function unfinishedBytesOf(session: Http2Session | undefined): UnfinishedBytes {
  const known = session && ofSessions.get(session)
  if (known) return known
  const unfinished = new UnfinishedBytes()
  if (session) ofSessions.set(session, unfinished)
  return unfinished
}
