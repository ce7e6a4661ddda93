import type { BodyDecoder } from './body-decoder.ts'
import { invalid } from './errors.ts'

/** More than any client writes of a chunk's extensions, and in all of the trailer. */
const longestLines = 16 << 10

/** A size, and extensions that mean nothing to us. */
const sizeLine = /^([0-9a-f]{1,13})[ \t]*(?:;.*)?$/i

const lineFeed = 10
const lineEnd = '\r\n'

/** What stands next: a chunk's size, its content, the end of its line, or a line after the last chunk. */
type Place = 'size' | 'content' | 'end' | 'trailer' | 'nothing'

/** Reads HTTP's chunked coding as strictly as it is written (RFC 9112, section 7.1). */
export class ChunkedDecoder implements BodyDecoder {
  #place: Place = 'size'
  /** Of the chunk's content. */
  #left = 0
  /** Of a line that has begun. */
  #line = ''
  #trailerBytes = 0

  get isComplete(): boolean {
    return this.#place === 'nothing'
  }

  decode(bytes: Uint8Array): Uint8Array[] {
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length && !this.isComplete;) {
      if (this.#place !== 'content') {
        at = this.#readLine(bytes, at)
        continue
      }
      const part = bytes.subarray(at, at + this.#left)
      parts.push(part)
      at += part.length
      this.#left -= part.length
      if (this.#left === 0) this.#place = 'end'
    }
    return parts
  }

  /** Takes in a line, or what is there of it; returns where it ends. */
  #readLine(bytes: Uint8Array, from: number): number {
    const found = bytes.indexOf(lineFeed, from)
    const end = found < 0 ? bytes.length : found + 1
    const longest = this.#place === 'end' ? lineEnd.length : longestLines - this.#trailerBytes
    if (this.#line.length + end - from > longest) throw malformed('a line that is too long')
    this.#line += Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1')
    if (found < 0) return end
    if (!this.#line.endsWith(lineEnd)) throw malformed('a line feed alone')
    this.#take(this.#line.slice(0, -lineEnd.length))
    this.#line = ''
    return end
  }

  #take(line: string): void {
    if (this.#place === 'size') return this.#takeSize(line)
    if (this.#place === 'trailer') {
      this.#trailerBytes += line.length + lineEnd.length
      if (line === '') this.#place = 'nothing'
      return
    }
    if (line !== '') throw malformed('a chunk longer than its size')
    this.#place = 'size'
  }

  #takeSize(line: string): void {
    const digits = sizeLine.exec(line)?.[1]
    if (digits === undefined) throw malformed('a size that is none')
    this.#left = Number.parseInt(digits, 16)
    this.#place = this.#left > 0 ? 'content' : 'trailer'
  }
}

const malformed = (what: string) => invalid(`malformed chunked encoding: ${what}`)
