import { ProtocolError } from './lines.ts'

/**
 * A client's input on an attach connection: frames of a big-endian length and that many bytes; a frame of no bytes says
 * that the input has ended. Said outright, because a connection that merely closes (berthd was killed) must leave the
 * container's stdin as it is.
 */
export const headBytes = 4

/** Larger frames are refused: writers cut their input. */
export const maxFrameBytes = 1024 * 1024

export function encodeStdinHead(length: number): Buffer {
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32BE(length)
  return head
}

/** The frame that says: no more input. */
export const endOfStdin = (): Buffer => encodeStdinHead(0)

/** Takes the frames apart again, handing bytes on as they come: nothing but an unfinished head is held. */
export class StdinDecoder {
  readonly #onData: (bytes: Buffer) => void
  readonly #onEnd: () => void
  readonly #head = Buffer.alloc(headBytes)
  #headFilled = 0
  #left = 0
  #ended = false

  constructor(onData: (bytes: Buffer) => void, onEnd: () => void) {
    this.#onData = onData
    this.#onEnd = onEnd
  }

  /** Throws `ProtocolError` on a frame that is too long, or when anything follows the end. */
  push(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0) {
      if (this.#ended) throw new ProtocolError('input after its end')
      rest = this.#left > 0 ? this.#takeData(rest) : this.#takeHead(rest)
    }
  }

  #takeData(chunk: Buffer): Buffer {
    const data = chunk.subarray(0, this.#left)
    this.#left -= data.length
    this.#onData(data)
    return chunk.subarray(data.length)
  }

  #takeHead(chunk: Buffer): Buffer {
    const copied = chunk.copy(this.#head, this.#headFilled)
    this.#headFilled += copied
    if (this.#headFilled === headBytes) this.#begin(this.#head.readUInt32BE())
    return chunk.subarray(copied)
  }

  #begin(length: number): void {
    if (length > maxFrameBytes) throw new ProtocolError(`an input frame of ${length} bytes`)
    this.#headFilled = 0
    this.#left = length
    if (length > 0) return
    this.#ended = true
    this.#onEnd()
  }
}
