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
      const text = escapeJson(bytes.subarray(0, bytes.length - 1), replacement(`${end}{"log":"`))
      return toBytes('{"log":"', text, end)
    },
    piece(bytes: Buffer, piece: LinePiece, timeNs) {
      return toBytes(`{"log":"${escapeJson(bytes, '\\n')}${piece.last ? '\\n' : ''}",${tail(timeNs)}`)
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

const jsonString = (text: string): string => `"${escapeJson(Buffer.from(text), '\\n')}"`

/** For `replaceAll`, which gives `$` a meaning. */
const replacement = (text: string): string => (text.includes('$') ? text.replaceAll('$', '$$$$') : text)

/**
 * Escapes as Docker's jsonlog does: `<`, `>`, `&` and control characters by number (only \r and \n have names), U+2028
 * and U+2029, and every byte that is not part of valid UTF-8 as \ufffd. `newline` is what replaces newlines. Latin1
 * text in and out.
 */
function escapeJson(bytes: Buffer, newline: string): string {
  const ascii = isAscii(bytes)
  if (!ascii && !isUtf8(bytes)) return escapeInvalid(bytes, newline)
  const text = escapeSpecial(bytes.toString('latin1'), newline)
  return ascii ? text : escapeSeparators(text)
}

/** Without a backslash in the text, one in JSON.stringify's result begins an escape, wherever it stands. */
function escapeSpecial(text: string, newline: string): string {
  if (text.includes('\\')) return escapeBackslashed(text, newline)
  let escaped = JSON.stringify(text).slice(1, -1)
  for (const [character, named, number] of otherwiseNamed) {
    if (text.includes(character)) escaped = escaped.replaceAll(named, number)
  }
  return escapeHtml(escaped).replaceAll('\\n', newline)
}

/** JSON.stringify escapes an array of lines fastest; `","` cannot occur within one of them. */
function escapeBackslashed(text: string, newline: string): string {
  let escaped = JSON.stringify(text.split('\n')).slice(2, -2).replaceAll('","', '\n')
  if (/[\t\b\f]/.test(text)) escaped = escaped.replace(/\\[\\tbf]/g, (escape) => numbered[escape] ?? escape)
  return escapeHtml(escaped).replaceAll('\n', newline)
}

function escapeHtml(text: string): string {
  let escaped = text
  for (const [character, replacement] of htmlUnsafe) {
    if (escaped.includes(character)) escaped = escaped.replaceAll(character, replacement)
  }
  return escaped
}

/** What JSON.stringify names and Docker numbers. */
const otherwiseNamed = [
  ['\t', '\\t', '\\u0009'],
  ['\b', '\\b', '\\u0008'],
  ['\f', '\\f', '\\u000c'],
] as const
const numbered: Readonly<Record<string, string>> = Object.fromEntries(
  otherwiseNamed.map(([, named, number]) => [named, number]),
)
const htmlUnsafe = [
  ['<', '\\u003c'],
  ['>', '\\u003e'],
  ['&', '\\u0026'],
] as const

// U+2028 and U+2029 in UTF-8.
const escapeSeparators = (text: string): string =>
  text.replaceAll('\xe2\x80\xa8', '\\u2028').replaceAll('\xe2\x80\xa9', '\\u2029')

/** Valid stretches as ever, one \ufffd for each byte between them (Go decodes an invalid byte at a time). */
function escapeInvalid(bytes: Buffer, newline: string): string {
  let text = ''
  let start = 0
  for (let position = 0; position < bytes.length;) {
    const length = sequenceLength(bytes, position)
    if (length > 0) {
      position += length
      continue
    }
    text += `${escapeSpecial(bytes.toString('latin1', start, position), newline)}\ufffd`
    start = ++position
  }
  text += escapeSpecial(bytes.toString('latin1', start), newline)
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

/** The parts one after the other: joined to one text they would be copied once more. */
function toBytes(...latin1: readonly string[]): Buffer {
  const length = latin1.reduce((sum, part) => sum + part.length, 0)
  if (output.length < length) output = Buffer.allocUnsafeSlow(Math.max(length * 2, 256 * 1024))
  let written = 0
  for (const part of latin1) written += output.write(part, written, 'latin1')
  return output.subarray(0, written)
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
