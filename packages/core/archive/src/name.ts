import { isUtf8 } from 'node:buffer'

/**
 * File names are bytes; strings are easier to handle. Names that are UTF-8 become ordinary strings. In any other name
 * each byte that fits no UTF-8 sequence becomes a lone surrogate U+DC80 to U+DCFF (PEP 383's scheme), so that
 * `encodeName` gives back the same bytes.
 */
export function decodeName(bytes: Buffer, start = 0, end = bytes.length): string {
  const text = bytes.toString('utf8', start, end)
  return text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end)) ? escape(bytes.subarray(start, end)) : text
}

/** The bytes of a name that `decodeName` made. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name)
  const parts: Buffer[] = []
  for (const character of name) {
    const code = character.codePointAt(0) ?? 0
    parts.push(code >= 0xdc80 && code <= 0xdcff ? Buffer.of(code - 0xdc00) : Buffer.from(character))
  }
  return Buffer.concat(parts)
}

/** `encodeName(name).length`, without the copy. */
export function nameBytes(name: string): number {
  return name.isWellFormed() ? Buffer.byteLength(name) : encodeName(name).length
}

function escape(bytes: Buffer): string {
  let text = ''
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at)
    text += length > 0 ? bytes.toString('utf8', at, at + length) : String.fromCharCode(0xdc00 + (bytes[at] ?? 0))
    at += Math.max(length, 1)
  }
  return text
}

/** Bytes of the valid UTF-8 sequence at `at`, or 0. */
function sequenceLength(bytes: Buffer, at: number): number {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    if (isUtf8(bytes.subarray(at, at + length))) return length
  }
  return 0
}
