import { invalid } from '@berth/base'

/**
 * Numeric fields of tar headers: octal digits, padded by spaces or NULs (POSIX.1-1988), or GNU's base-256: the first
 * bit set, then two's complement, big-endian.
 */
export function readNumber(block: Buffer, start: number, length: number, field: string): number {
  const first = block[start] ?? 0
  return first & 0x80 ? readBase256(block, start, length, field) : readOctal(block, start, length, field)
}

export function readOctal(block: Buffer, start: number, length: number, field: string): number {
  let value = 0
  let at = start
  const end = start + length
  while (at < end && block[at] === 0x20) at++
  for (; at < end; at++) {
    const digit = (block[at] ?? 0) - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  while (at < end && (block[at] === 0x20 || block[at] === 0)) at++
  if (at < end && !isBlankAfterNul(block, start, end)) {
    throw invalid(`${field} is not an octal number: ${JSON.stringify(block.toString('latin1', start, end))}`)
  }
  return value
}

/** Some writers leave the last field's garbage after a terminating NUL. */
function isBlankAfterNul(block: Buffer, start: number, end: number): boolean {
  const nul = block.indexOf(0, start)
  return nul >= start && nul < end && /^ *[0-7]* *$/.test(block.toString('latin1', start, nul))
}

function readBase256(block: Buffer, start: number, length: number, field: string): number {
  const negative = ((block[start] ?? 0) & 0x40) !== 0
  let value = BigInt((block[start] ?? 0) & 0x7f)
  for (let at = start + 1; at < start + length; at++) value = (value << 8n) | BigInt(block[at] ?? 0)
  if (negative) value -= 1n << BigInt(length * 8 - 1)
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw invalid(`${field} is out of range: ${value}`)
  return number
}

/** True when `value` fits `length` bytes as octal digits and a NUL. */
export function fitsOctal(value: number, length: number): boolean {
  return value >= 0 && value < 8 ** (length - 1)
}

/** Writes zero-padded octal digits and a NUL; `value` must fit. */
export function writeOctal(block: Buffer, start: number, length: number, value: number): void {
  block.write(value.toString(8).padStart(length - 1, '0'), start, length - 1, 'latin1')
  block[start + length - 1] = 0
}

/** The end of the NUL-terminated text at `start`. */
export function textEnd(block: Buffer, start: number, length: number): number {
  const nul = block.indexOf(0, start)
  return nul < 0 || nul > start + length ? start + length : nul
}

/** The sum of a header's bytes with the checksum field taken as spaces, unsigned. */
export function checksum(block: Buffer, start = 0): number {
  let sum = 0x20 * 8
  for (let at = start; at < start + 148; at++) sum += block[at] ?? 0
  for (let at = start + 156; at < start + 512; at++) sum += block[at] ?? 0
  return sum
}

/** As some historic writers summed: bytes taken as signed. */
export function signedChecksum(block: Buffer): number {
  let sum = 0x20 * 8
  for (let at = 0; at < 512; at++) if (at < 148 || at >= 156) sum += block.readInt8(at)
  return sum
}
