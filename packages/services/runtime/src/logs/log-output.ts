import type { LogQuery } from '../log-query.ts'
import { formatTimeNs } from '@berth/base'

/** Where decoded entries are put: one buffer a chunk, grown when it must. */
export class LogOutput {
  bytes = Buffer.alloc(0)
  length = 0

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max((this.length + more) * 2, 64 * 1024))
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** What was put, now the caller's; goes on with a buffer for about as much. */
  take(nextBytes: number): Buffer {
    const taken = this.bytes.subarray(0, this.length)
    this.length = 0
    this.bytes = Buffer.allocUnsafeSlow(nextBytes)
    return taken
  }

  /** Begins an entry's frame, whose length `endFrame` fills in. */
  beginFrame(stream: 1 | 2): void {
    this.bytes.fill(0, this.length, this.length + frameHeadBytes)
    this.bytes[this.length] = stream
    this.length += frameHeadBytes
  }

  endFrame(start: number): void {
    this.bytes.writeUInt32BE(this.length - start - frameHeadBytes, start + 4)
  }

  put(source: Buffer, start: number, end: number): void {
    this.length += source.copy(this.bytes, this.length, start, end)
  }

  putByte(byte: number): void {
    this.bytes[this.length++] = byte
  }

  /** RFC 3339 text in UTC, its fraction filled up to nine digits (Go's RFC3339NanoFixed), and a space. */
  putTime(source: Buffer, start: number, end: number): void {
    const { bytes } = this
    const to = this.length
    const digits = end - 1 - start
    for (let i = 0; i < fixedDigits; i++)
      bytes[to + i] = i < digits ? (source[start + i] ?? zero) : i === 19 ? dot : zero
    bytes[to + fixedDigits] = capitalZ
    bytes[to + fixedDigits + 1] = space
    this.length += fixedDigits + 2
  }
}

export const frameHeadBytes = 8
/** A time and a space. */
export const timeBytes = 31
/** Of a fixed time, without the Z. */
const fixedDigits = 29
const zero = 0x30
const dot = 0x2e
const capitalZ = 0x5a
const space = 0x20

/** A bound in time as the digits of a fixed RFC 3339 time, to be compared with times as they stand in a log. */
export class TimeBound {
  readonly #digits: Buffer

  constructor(ns: bigint) {
    const text = formatTimeNs(ns).slice(0, -1)
    const fraction = text.length > 19 ? text : `${text}.`
    this.#digits = Buffer.from(fraction.padEnd(fixedDigits, '0'))
  }

  /** Below 0 when the time is before the bound, 0 when it is the same, above 0 when it is after. */
  compare(source: Buffer, start: number, end: number): number {
    const digits = end - 1 - start
    for (let i = 0; i < fixedDigits; i++) {
      const own = i < digits ? (source[start + i] ?? zero) : i === 19 ? dot : zero
      const difference = own - (this.#digits[i] ?? zero)
      if (difference !== 0) return difference
    }
    return 0
  }
}

/** The recorded attributes as `--details` shows them: `a=1,b=2 `, escaped as Go's url.QueryEscape does. */
export function detailsPrefix(attrs: Readonly<Record<string, string>>): Buffer {
  const entries = Object.entries(attrs).map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
  return Buffer.from(`${entries.toSorted().join(',')} `)
}

function queryEscape(text: string): string {
  const escaped = encodeURIComponent(text.toWellFormed()).replaceAll('%20', '+')
  return escaped.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** Whether an entry's stream is wanted. */
export const wantsStream = (query: LogQuery, stream: 1 | 2): boolean => (stream === 1 ? query.stdout : query.stderr)
