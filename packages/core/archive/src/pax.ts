import { invalid } from '@berth/base'
import type { FileTime } from './entry.ts'
import { decodeName } from './name.ts'

/** Records of a PAX extended header; values are bytes, for xattrs are. A later record of one key wins. */
export type PaxRecords = Map<string, Buffer>

/**
 * The records in the body of an extended header: `"<length> <key>=<value>\n"` (POSIX.1-2001, pax, "pax Header Block").
 * `onRecord` sees each in order, repeated keys too (GNU.sparse 0.0 repeats them).
 */
export function parsePax(body: Buffer, onRecord: (key: string, value: Buffer) => void): void {
  for (let at = 0; at < body.length;) {
    const space = body.indexOf(0x20, at)
    const digits = space > at && space - at <= 10 ? body.toString('latin1', at, space) : ''
    const length = /^\d+$/.test(digits) ? Number(digits) : 0
    const end = at + length
    const equals = body.indexOf(0x3d, space)
    if (length === 0 || end > body.length || equals < 0 || equals >= end || body[end - 1] !== 0x0a) {
      throw invalid(`PAX record at byte ${at} is malformed`)
    }
    if (equals === space + 1) throw invalid(`PAX record at byte ${at} has an empty key`)
    onRecord(decodeName(body, space + 1, equals), body.subarray(equals + 1, end - 1))
    at = end
  }
}

const namesOfText = new Set(['path', 'linkpath', 'uname', 'gname', 'GNU.sparse.name'])

/** A record's value as text; NUL is refused where a name is meant. */
export function paxText(key: string, value: Buffer): string {
  if (namesOfText.has(key) && value.includes(0)) throw invalid(`PAX ${key} contains a NUL byte`)
  return decodeName(value)
}

/** A record's value as a non-negative decimal number. */
export function paxNumber(key: string, value: Buffer): number {
  const text = value.toString('latin1', 0, 40)
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) throw invalid(`PAX ${key} is not a number in range: ${JSON.stringify(text)}`)
  return number
}

/** A record's value as a time: seconds with an optional fraction, of which nine digits count. */
export function paxTime(key: string, value: Buffer): FileTime {
  const text = value.toString('latin1', 0, 80)
  const match = /^(-?)(\d+)(?:\.(\d*))?$/.exec(text)
  const seconds = match ? Number(match[2]) : Number.NaN
  if (!Number.isSafeInteger(seconds)) throw invalid(`PAX ${key} is not a time: ${JSON.stringify(text)}`)
  const nanoseconds = Number((match?.[3] ?? '').slice(0, 9).padEnd(9, '0'))
  if (!match?.[1]) return { seconds, nanoseconds }
  return nanoseconds === 0
    ? { seconds: 0 - seconds, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds }
}

/** `seconds.fraction` without trailing zeros, as `paxTime` reads it. */
export function formatPaxTime(time: FileTime): string {
  const negative = time.seconds < 0 && time.nanoseconds > 0
  const seconds = negative ? -(time.seconds + 1) : time.seconds
  const nanoseconds = negative ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
  const fraction = nanoseconds === 0 ? '' : `.${String(nanoseconds).padStart(9, '0').replace(/0+$/, '')}`
  return `${negative ? '-' : ''}${seconds}${fraction}`
}

/** One record; its length counts its own digits. */
export function formatPaxRecord(key: string, value: Buffer): Buffer {
  const rest = Buffer.byteLength(key) + value.length + 3
  let length = rest + String(rest).length
  if (String(length).length + rest > length) length++
  return Buffer.concat([Buffer.from(`${length} ${key}=`), value, Buffer.from('\n')])
}
