import { maxLineBytes } from './messages.ts'

/** Bytes that are not what the protocol says. The connection they came by is closed. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
}

/** One message as it goes over the wire. JSON has no raw newline, so a newline ends it. */
export const encodeLine = (message: unknown): string => `${JSON.stringify(message)}\n`

/** Cuts a stream of bytes into lines of JSON. Holds at most one unfinished line, of bounded length. */
export class LineDecoder {
  readonly #maxBytes: number
  #rest: Buffer[] = []
  #restBytes = 0

  constructor(maxBytes = maxLineBytes) {
    this.#maxBytes = maxBytes
  }

  /** The messages that `chunk` completes. Throws `ProtocolError` on a line that is too long or no JSON. */
  push(chunk: Buffer): unknown[] {
    const messages: unknown[] = []
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      messages.push(parseLine(this.#complete(chunk.subarray(start, end))))
      start = end + 1
    }
    this.#keep(chunk.subarray(start))
    return messages
  }

  /** The first message, and the bytes after it, once it is complete; for streams that turn raw after one line. */
  first(chunk: Buffer): { readonly message: unknown; readonly rest: Buffer } | undefined {
    const end = chunk.indexOf(10)
    if (end < 0) {
      this.#keep(chunk)
      return undefined
    }
    return { message: parseLine(this.#complete(chunk.subarray(0, end))), rest: chunk.subarray(end + 1) }
  }

  #complete(tail: Buffer): Buffer {
    this.#checkLength(tail.length)
    const line = this.#rest.length === 0 ? tail : Buffer.concat([...this.#rest, tail])
    this.#rest = []
    this.#restBytes = 0
    return line
  }

  #keep(tail: Buffer): void {
    if (tail.length === 0) return
    this.#checkLength(tail.length)
    this.#rest.push(Buffer.from(tail))
    this.#restBytes += tail.length
  }

  #checkLength(more: number): void {
    if (this.#restBytes + more > this.#maxBytes)
      throw new ProtocolError(`a line is longer than ${this.#maxBytes} bytes`)
  }
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch (cause) {
    throw new ProtocolError(`a line is no JSON: ${JSON.stringify(line.toString('latin1', 0, 80))}`, { cause })
  }
}
