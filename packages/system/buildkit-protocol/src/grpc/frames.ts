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

/** Takes messages out of a stream of bytes, those that a chunk has completed at once. */
export async function* decodeFrames(chunks: AsyncIterable<Buffer>, limits: FrameLimits): AsyncGenerator<Buffer[]> {
  using reader = new FrameReader(limits)
  for await (const chunk of chunks) {
    const frames = reader.push(chunk)
    if (frames.length > 0) yield frames
  }
  reader.end()
}

/** Takes messages out of bytes that come in pieces, each copied once at most. Holds what is unfinished until disposed of. */
export class FrameReader implements Disposable {
  readonly #pending: Pending
  readonly #maxBytes: number
  /** Of the message whose head was read; -1 between messages. */
  #length = -1

  constructor({ maxBytes, unfinished }: FrameLimits) {
    this.#maxBytes = maxBytes
    this.#pending = new Pending(unfinished)
  }

  [Symbol.dispose](): void {
    this.#pending[Symbol.dispose]()
  }

  /** What a piece completes. Throws for a message that is larger than it may be, or when too much of unfinished ones is held. */
  push(chunk: Buffer): Buffer[] {
    const pending = this.#pending
    pending.push(chunk)
    const frames: Buffer[] = []
    for (;;) {
      if (this.#length < 0) {
        if (pending.bytes < headBytes) break
        this.#length = readHead(pending.take(headBytes), this.#maxBytes)
      }
      if (pending.bytes < this.#length) break
      frames.push(pending.take(this.#length))
      this.#length = -1
    }
    pending.count()
    return frames
  }

  /** Throws when a message is cut off. */
  end(): void {
    if (this.#length < 0 && this.#pending.bytes === 0) return
    throw new GrpcError(grpcCode.internal, 'the stream ended inside of a message')
  }
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
