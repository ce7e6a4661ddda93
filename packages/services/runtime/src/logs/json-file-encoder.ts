import { isAscii, isUtf8 } from 'node:buffer'
import { formatTimeNs } from '@berth/base'
import type { EntryBoundaries, LogEncoder } from './encoder.ts'
import type { LinePiece } from './line-cutter.ts'

/**
 * Docker's json-file format: a JSON object a line, `{"log":"...\n","stream":"stdout","attrs":{...},"time":"..."}`.
 *
 * Bytes are carried as latin1 text, in which UTF-8 passes through untouched, and a whole chunk is escaped at once.
 */
export function jsonFileEncoder(stream: 'stdout' | 'stderr', attrs?: Readonly<Record<string, string>>): LogEncoder {
  const fields = `"stream":"${stream}",${attrsField(attrs)}"time":"`
  const tail = (timeNs: bigint) => `${fields}${formatTimeNs(timeNs)}"}\n`
  return {
    boundaries: jsonFileBoundaries,
    lines(bytes, timeNs) {
      const end = `\\n",${tail(timeNs)}`
      const text = escapeJson(bytes.subarray(0, bytes.length - 1))
      return toBytes(`{"log":"${text.replaceAll('\n', `${end}{"log":"`)}${end}`)
    },
    piece(bytes: Buffer, piece: LinePiece, timeNs) {
      return toBytes(`{"log":"${escapeJson(bytes)}${piece.last ? '\\n' : ''}",${tail(timeNs)}`)
    },
  }
}

/** Names sorted, as Go writes a map; absent when empty. */
function attrsField(attrs: Readonly<Record<string, string>> | undefined): string {
  const entries = Object.entries(attrs ?? {}).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  if (entries.length === 0) return ''
  const text = entries.map(([name, value]) => `${jsonString(name)}:${jsonString(value)}`)
  return `"attrs":{${text.join(',')}},`
}

const jsonString = (text: string): string => `"${escapeJson(Buffer.from(text)).replaceAll('\n', '\\n')}"`

// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const special = /[\\"<>&\x00-\x09\x0b-\x1f]/

/**
 * Escapes as Docker's jsonlog does, all but newlines: `<`, `>`, `&` and control characters by number (only \r and \n have
 * names), U+2028 and U+2029, and every byte that is not part of valid UTF-8 as \ufffd. Latin1 text in and out.
 */
function escapeJson(bytes: Buffer): string {
  const ascii = isAscii(bytes)
  if (!ascii && !isUtf8(bytes)) return escapeInvalid(bytes)
  const text = escapeSpecial(bytes.toString('latin1'))
  return ascii ? text : escapeSeparators(text)
}

/** JSON.stringify escapes an array of lines fastest; `","` cannot occur within one of them. */
function escapeSpecial(text: string): string {
  if (!special.test(text)) return text
  let escaped = JSON.stringify(text.split('\n')).slice(2, -2).replaceAll('","', '\n')
  if (/[\t\b\f]/.test(text)) escaped = escaped.replace(/\\[\\tbf]/g, (escape) => numbered[escape] ?? escape)
  for (const [character, replacement] of htmlUnsafe) {
    if (escaped.includes(character)) escaped = escaped.replaceAll(character, replacement)
  }
  return escaped
}

const numbered: Readonly<Record<string, string>> = { '\\t': '\\u0009', '\\b': '\\u0008', '\\f': '\\u000c' }
const htmlUnsafe = [
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
] as const

// U+2028 and U+2029 in UTF-8.
const escapeSeparators = (text: string): string =>
  text.replaceAll('\xe2\x80\xa8', '\\u2028').replaceAll('\xe2\x80\xa9', '\\u2029')

/** Valid stretches as ever, one \ufffd for each byte between them (Go decodes an invalid byte at a time). */
function escapeInvalid(bytes: Buffer): string {
  let text = ''
  let start = 0
  for (let position = 0; position < bytes.length;) {
    const length = sequenceLength(bytes, position)
    if (length > 0) {
      position += length
      continue
    }
    text += `${escapeSpecial(bytes.toString('latin1', start, position))}\ufffd`
    start = ++position
  }
  text += escapeSpecial(bytes.toString('latin1', start))
  return escapeSeparators(text).replaceAll('\ufffd', '\\ufffd')
}

/** The length of the UTF-8 sequence at `position`, or 0 when there is no valid one (Unicode standard, table 3-7). */
function sequenceLength(bytes: Buffer, position: number): number {
  const first = bytes[position] ?? 0
  if (first < 0x80) return 1
  if (first < 0xc2 || first > 0xf4) return 0
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
  if (position + length > bytes.length) return 0
  return isUtf8(bytes.subarray(position, position + length)) ? length : 0
}

let output = Buffer.allocUnsafeSlow(0)

function toBytes(latin1: string): Buffer {
  if (output.length < latin1.length) output = Buffer.allocUnsafeSlow(Math.max(latin1.length * 2, 256 * 1024))
  return output.subarray(0, output.write(latin1, 0, 'latin1'))
}

/** Every entry ends with the only raw newline it has. */
export const jsonFileBoundaries: EntryBoundaries = {
  after(bytes, position) {
    const newline = bytes.indexOf(10, Math.max(position - 1, 0))
    return newline < 0 ? bytes.length : newline + 1
  },
  before(bytes, position) {
    return position === 0 ? 0 : bytes.lastIndexOf(10, position - 1) + 1
  },
  async intact(file, size) {
    const block = Buffer.alloc(64 * 1024)
    for (let end = size; end > 0;) {
      const start = Math.max(0, end - block.length)
      const { bytesRead } = await file.read(block, 0, end - start, start)
      const newline = block.subarray(0, bytesRead).lastIndexOf(10)
      if (newline >= 0) return start + newline + 1
      end = start
    }
    return 0
  },
}
