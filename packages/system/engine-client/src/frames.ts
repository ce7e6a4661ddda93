/** The stream that a frame of a multiplexed connection belongs to. */
export type StreamName = 'stdin' | 'stdout' | 'stderr' | 'system'

export interface Frame {
  readonly stream: StreamName
  readonly data: Buffer
}

const names: readonly StreamName[] = ['stdin', 'stdout', 'stderr', 'system']
const headerBytes = 8

/**
 * Takes apart the engine's multiplexed streams: 8 bytes of header (stream, 0, 0, 0, big-endian length), then the data.
 * Frames are handed on piecewise, as their bytes arrive: nothing is held back but an incomplete header.
 */
export class Demultiplexer {
  #header: Buffer = Buffer.alloc(0)
  #stream: StreamName = 'stdout'
  #left = 0

  /** Throws an Error if the bytes are not such a stream. */
  push(chunk: Buffer): Frame[] {
    const frames: Frame[] = []
    let at = 0
    while (at < chunk.length) {
      if (this.#left === 0) at = this.#readHeader(chunk, at)
      const data = chunk.subarray(at, at + this.#left)
      at += data.length
      this.#left -= data.length
      if (data.length > 0) frames.push({ stream: this.#stream, data })
    }
    return frames
  }

  #readHeader(chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + headerBytes - this.#header.length)
    const header =
      this.#header.length === 0 ? chunk.subarray(at, end) : Buffer.concat([this.#header, chunk.subarray(at, end)])
    if (header.length < headerBytes) {
      this.#header = Buffer.from(header)
      return end
    }
    this.#header = Buffer.alloc(0)
    const name = names[header[0] ?? 255]
    if (name === undefined) throw new Error(`unrecognized input header: ${header[0]}`)
    this.#stream = name
    this.#left = header.readUInt32BE(4)
    return end
  }
}
