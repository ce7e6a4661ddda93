/** Docker cuts longer lines into pieces of this many bytes. */
export const maxPieceBytes = 16 * 1024

/** A piece of a line that was cut, or that ended without a newline. */
export interface LinePiece {
  /** From 1. */
  readonly ordinal: number
  /** The line's newline follows. */
  readonly last: boolean
}

export interface LineSink {
  /** Whole lines, each with its newline and none too long, in a buffer that is valid during the call. */
  lines(bytes: Buffer): void
  /** One piece of a line, without newline. */
  piece(bytes: Buffer, piece: LinePiece): void
}

let joined = Buffer.alloc(0)

/** Cuts a byte stream as Docker's log copier does: independent of how the bytes arrive. Holds less than one piece. */
export class LineCutter {
  readonly #sink: LineSink
  #rest: Buffer | undefined
  #ordinal = 0

  constructor(sink: LineSink) {
    this.#sink = sink
  }

  push(chunk: Buffer): void {
    let bytes = this.#withRest(chunk)
    const end = bytes.lastIndexOf(10) + 1
    let start = 0
    while (start < end) start = this.#cut(bytes, start, end)
    bytes = bytes.subarray(end)
    while (bytes.length >= maxPieceBytes) {
      this.#piece(bytes.subarray(0, maxPieceBytes), false)
      bytes = bytes.subarray(maxPieceBytes)
    }
    this.#rest = bytes.length > 0 ? Buffer.from(bytes) : undefined
  }

  /** The stream ended: what is left becomes a piece that no newline follows. */
  end(): void {
    if (this.#rest) this.#piece(this.#rest, false)
    this.#rest = undefined
    this.#ordinal = 0
  }

  /** Hands on what begins at `start`: a piece when a line is being cut or must be, else as many lines as come. */
  #cut(bytes: Buffer, start: number, end: number): number {
    if (this.#ordinal === 0) {
      const next = endOfShortLines(bytes, start, end)
      if (next > start) {
        this.#sink.lines(bytes.subarray(start, next))
        return next
      }
    }
    const newline = bytes.indexOf(10, start)
    if (newline - start >= maxPieceBytes) {
      this.#piece(bytes.subarray(start, start + maxPieceBytes), false)
      return start + maxPieceBytes
    }
    this.#piece(bytes.subarray(start, newline), true)
    return newline + 1
  }

  #piece(bytes: Buffer, last: boolean): void {
    this.#ordinal++
    this.#sink.piece(bytes, { ordinal: this.#ordinal, last })
    if (last) this.#ordinal = 0
  }

  #withRest(chunk: Buffer): Buffer {
    const rest = this.#rest
    if (!rest) return chunk
    const length = rest.length + chunk.length
    if (joined.length < length) joined = Buffer.allocUnsafeSlow(Math.max(length, 80 * 1024))
    rest.copy(joined)
    chunk.copy(joined, rest.length)
    return joined.subarray(0, length)
  }
}

/** Where the first line of `maxPieceBytes` or more begins, at or after `start`; `end` (just after a newline) if nowhere. */
function endOfShortLines(bytes: Buffer, start: number, end: number): number {
  let position = start
  while (end - position > maxPieceBytes) {
    const newline = bytes.lastIndexOf(10, position + maxPieceBytes - 1)
    if (newline < position) return position
    position = newline + 1
  }
  return end
}
