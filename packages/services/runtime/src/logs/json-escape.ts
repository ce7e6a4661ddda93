import { isUtf8 } from 'node:buffer'
import { align, type JsonLogModule, useJsonLogModule } from './json-log-module.ts'

/** What stands around the escaped bytes, in latin1. */
export interface Surroundings {
  readonly head: string
  /** Written for each newline. */
  readonly newline: string
}

/**
 * The bytes of `head` and of the parts, escaped as Docker's jsonlog does: `<`, `>`, `&` and control characters by number
 * (only \r and \n have names), U+2028 and U+2029, and every byte that is not part of valid UTF-8 as \ufffd (Go decodes an
 * invalid byte at a time). Valid until the next call.
 */
export function escapeJson(parts: readonly Buffer[], { head, newline }: Surroundings): Buffer {
  const module = useJsonLogModule()
  const line = { at: module.free, length: newline.length }
  const source = align(line.at + line.length)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const start = align(source + length + module.slack)
  module.reserve(start + head.length + length * 2 + line.length)
  module.bytes.write(newline, line.at, 'latin1')
  module.bytes.write(head, start, 'latin1')
  const end = putValid(parts, module.bytes, source)
  const written = escapeAll(module, { source, end, to: start + head.length }, line)
  return module.bytes.subarray(start, written)
}

/** Copies the parts to `at`, each byte that is none of UTF-8 as 0xff. Returns where they end. */
function putValid(parts: readonly Buffer[], target: Buffer, at: number): number {
  let end = at
  for (const part of parts) end += (isUtf8(part) ? part : markInvalid(part)).copy(target, end)
  return end
}

interface Work {
  readonly source: number
  readonly end: number
  readonly to: number
}

/** With more memory each time that it was not enough. */
function escapeAll(module: JsonLogModule, { source, end, to }: Work, line: { at: number; length: number }): number {
  let written = module.escape(source, end, to, line)
  while (module.position < end) {
    module.reserve(module.bytes.length * 2)
    written = module.escape(module.position, end, written, line)
  }
  return written
}

function markInvalid(bytes: Buffer): Buffer {
  const marked = Buffer.from(bytes)
  for (let position = 0; position < bytes.length;) {
    const length = sequenceLength(bytes, position)
    if (length === 0) marked[position] = 0xff
    position += length || 1
  }
  return marked
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
