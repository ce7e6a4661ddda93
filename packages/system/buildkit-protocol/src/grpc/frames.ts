import type { UnfinishedBytes } from './unfinished-bytes.ts'
import { grpcCode, GrpcError } from './error.ts'

/** Before each message: one byte that says whether it is compressed, its length in four (gRPC over HTTP2, Length-Prefixed-Message). */
const headBytes = 5

/** A message with its head. */
export function encodeFrame(message: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(headBytes + message.length)
  frame[0] = 0
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, headBytes)
  return frame
}

export interface FrameLimits {
  /** Of one message. */
  readonly maxBytes: number
  /** What all streams of the connection hold. */
  readonly unfinished: UnfinishedBytes
}

/**
 * Takes messages out of a stream of bytes, each copied once at most: those that a chunk has completed at once. Throws for
 * one that is larger than it may be, or when too much of unfinished ones is held.
 */
export async function* decodeFrames(chunks: AsyncIterable<Buffer>, limits: FrameLimits): AsyncGenerator<Buffer[]> {
  using pending = new Pending(limits.unfinished)
  let length = -1
  for await (const chunk of chunks) {
    pending.push(chunk)
    const frames: Buffer[] = []
    for (;;) {
      if (length < 0) {
        if (pending.bytes < headBytes) break
        length = readHead(pending.take(headBytes), limits.maxBytes)
      }
      if (pending.bytes < length) break
      frames.push(pending.take(length))
      length = -1
    }
    pending.count()
    if (frames.length > 0) yield frames
  }
  if (length >= 0 || pending.bytes > 0) throw new GrpcError(grpcCode.internal, 'the stream ended inside of a message')
}

function readHead(head: Buffer, maxBytes: number): number {
  if (head[0] !== 0) throw new GrpcError(grpcCode.unimplemented, 'compressed messages are not supported')
  const length = head.readUInt32BE(1)
  if (length > maxBytes) {
    throw new GrpcError(grpcCode.resourceExhausted, `received message larger than max (${length} vs. ${maxBytes})`)
  }
  return length
}

/** Chunks that wait for the rest of a message. */
class Pending implements Disposable {
  readonly #unfinished: UnfinishedBytes
  #chunks: Buffer[] = []
  /** As others know of it. */
  #counted = 0
  bytes = 0

  constructor(unfinished: UnfinishedBytes) {
    this.#unfinished = unfinished
  }

  [Symbol.dispose](): void {
    this.#unfinished.release(this.#counted)
    this.#counted = 0
  }

  /** Tells what waits; throws when it is too much with what waits elsewhere. */
  count(): void {
    this.#unfinished.release(this.#counted)
    this.#counted = 0
    this.#unfinished.hold(this.bytes)
    this.#counted = this.bytes
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk)
    this.bytes += chunk.length
  }

  take(count: number): Buffer {
    if (count === 0) return Buffer.alloc(0)
    const first = this.#chunks[0] as Buffer
    const joined = first.length >= count ? first : Buffer.concat(this.#chunks)
    const rest = joined.subarray(count)
    const tail = joined === first ? this.#chunks.slice(1) : []
    this.#chunks = rest.length > 0 ? [rest, ...tail] : tail
    this.bytes -= count
    return joined.subarray(0, count)
  }
}
