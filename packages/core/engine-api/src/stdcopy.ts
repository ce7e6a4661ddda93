/** Docker's framing of several streams on one connection: stream number, three zeros, big-endian length, payload. */
export type StreamType = 0 | 1 | 2 | 3

const headerBytes = 8
/** A frame longer than this is no frame; writers keep far below. */
const largestFrameBytes = 64 * 1024 * 1024

/** The header alone, so that the payload need not be copied. */
export function frameHeader(stream: StreamType, payloadBytes: number): Buffer {
  const header = Buffer.alloc(headerBytes)
  header[0] = stream
  header.writeUInt32BE(payloadBytes, 4)
  return header
}

export function encodeFrame(stream: StreamType, payload: Uint8Array | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
  return Buffer.concat([frameHeader(stream, bytes.length), bytes])
}

export interface StreamPart {
  readonly stream: StreamType
  /** Part of a frame's payload, in order; a view of the bytes pushed. */
  readonly payload: Buffer
}

/** Takes framed bytes in pieces of any size. Holds no more than a header back. */
export class FrameDecoder {
  readonly #header = Buffer.alloc(headerBytes)
  #headerFill = 0
  #stream: StreamType = 0
  #left = 0

  /** The payload in `chunk`; throws when the bytes are not framed. */
  push(chunk: Buffer): StreamPart[] {
    const parts: StreamPart[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#left === 0) {
        at += this.#readHeader(chunk, at)
        continue
      }
      const payload = chunk.subarray(at, at + this.#left)
      at += payload.length
      this.#left -= payload.length
      parts.push({ stream: this.#stream, payload })
    }
    return parts
  }

  /** Whether the bytes so far end between two frames. */
  get isWhole(): boolean {
    return this.#left === 0 && this.#headerFill === 0
  }

  #readHeader(chunk: Buffer, at: number): number {
    const taken = Math.min(headerBytes - this.#headerFill, chunk.length - at)
    chunk.copy(this.#header, this.#headerFill, at, at + taken)
    this.#headerFill += taken
    if (this.#headerFill === headerBytes) this.#startFrame()
    return taken
  }

  #startFrame(): void {
    const stream = this.#header[0]!
    this.#left = this.#header.readUInt32BE(4)
    if (stream > 3) throw new Error(`unrecognized stream: ${stream}`)
    if (this.#left > largestFrameBytes) throw new Error(`frame of ${this.#left} bytes is too long`)
    this.#stream = stream as StreamType
    this.#headerFill = 0
  }
}
