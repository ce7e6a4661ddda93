import { formatTimeNs } from '@berth/base'
import type { LogQuery } from '../log-query.ts'
import type { Decoded, LogDecoder, LogFormat } from './decoder.ts'
import { detailsPrefix, frameHeadBytes, LogOutput, timeBytes, wantsStream } from './log-output.ts'

/** More than any entry that Docker or Berth writes: a length beyond it is corrupt. */
const maxEntryBytes = 4 * 1024 * 1024
const sizeBytes = 4

/** A message begins with its source: field 1, six bytes, "std". Where to go on after corruption. */
const entryMarker = Buffer.from([0x0a, 6, 0x73, 0x74, 0x64])

/** Decodes Docker's `local` format (see `localEncoder`). It records no attributes. */
class LocalDecoder implements LogDecoder {
  finished = false
  readonly #query: LogQuery
  readonly #output = new LogOutput()
  readonly #details = detailsPrefix({})
  #skip = 0

  constructor(query: LogQuery) {
    this.#query = query
  }

  skip(entries: number): void {
    this.#skip = entries
  }

  decode(bytes: Buffer): Decoded {
    const consumed = eachEntry(bytes, (start, end) => {
      if (this.#skip > 0) this.#skip--
      else this.#entry(bytes, start, end)
      return !this.finished
    })
    return { output: this.#output.take(Math.min(bytes.length, 1 << 20)), consumed }
  }

  #entry(bytes: Buffer, start: number, end: number): void {
    const entry = parseMessage(bytes, start, end)
    const { sinceNs, untilNs, raw, timestamps, details } = this.#query
    if (!entry || (sinceNs !== undefined && entry.timeNs < sinceNs)) return
    this.finished = untilNs !== undefined && entry.timeNs > untilNs
    if (this.finished || !wantsStream(this.#query, entry.stream)) return
    const output = this.#output
    output.reserve(frameHeadBytes + timeBytes + this.#details.length + entry.lineEnd - entry.lineStart + 1)
    const from = output.length
    if (!raw) output.beginFrame(entry.stream)
    if (timestamps) putTime(output, entry.timeNs)
    if (details) output.put(this.#details, 0, this.#details.length)
    output.put(bytes, entry.lineStart, entry.lineEnd)
    if (entry.endsLine) output.putByte(10)
    if (!raw) output.endFrame(from)
  }
}

// A chunk's entries have one time.
let formattedNs = -1n
let formatted = Buffer.alloc(0)

function putTime(output: LogOutput, timeNs: bigint): void {
  if (timeNs !== formattedNs) {
    formattedNs = timeNs
    formatted = Buffer.from(formatTimeNs(timeNs))
  }
  output.putTime(formatted, 0, formatted.length)
}

/** Calls `visit` with the message of each whole entry, until it says false; returns the end of the last one. */
function eachEntry(bytes: Buffer, visit: (start: number, end: number) => boolean): number {
  let position = 0
  while (position + sizeBytes <= bytes.length) {
    const length = bytes.readUInt32BE(position)
    const end = position + sizeBytes + length
    if (length <= maxEntryBytes && end + sizeBytes > bytes.length) break
    if (length > maxEntryBytes || bytes.readUInt32BE(end) !== length) {
      const next = nextEntry(bytes, position + 1)
      if (next < 0) return Math.max(position, bytes.length - sizeBytes - entryMarker.length)
      position = next
      continue
    }
    position = end + sizeBytes
    if (!visit(end - length, end)) break
  }
  return position
}

/** Where something that looks like an entry begins, at or after `from`. */
function nextEntry(bytes: Buffer, from: number): number {
  const marker = bytes.indexOf(entryMarker, from + sizeBytes)
  return marker < 0 ? -1 : marker - sizeBytes
}

interface Message {
  readonly stream: 1 | 2
  readonly timeNs: bigint
  readonly lineStart: number
  readonly lineEnd: number
  readonly endsLine: boolean
}

/** The fields of a LogEntry (protobuf wire types 0 and 2); undefined when it is malformed. */
function parseMessage(bytes: Buffer, start: number, end: number): Message | undefined {
  const message = { stream: 1 as 1 | 2, timeNs: 0n, lineStart: end, lineEnd: end, endsLine: true }
  for (let position = start; position < end;) {
    const key = bytes[position] ?? 0
    const { value, next } = readVarint(bytes, position + 1, end)
    const isBytes = (key & 7) === 2
    const fieldEnd = isBytes ? next + Number(value) : next
    if (next > end || fieldEnd > end || (!isBytes && (key & 7) !== 0)) return undefined
    if (key === 0x0a) message.stream = bytes.toString('latin1', next, fieldEnd) === 'stderr' ? 2 : 1
    else if (key === 0x10) message.timeNs = BigInt.asIntN(64, value)
    else if (key === 0x1a) Object.assign(message, { lineStart: next, lineEnd: fieldEnd })
    // The pieces of a line: only the last one's metadata begins with `last: true`.
    else if (key === 0x2a) message.endsLine = bytes[next] === 0x08 && bytes[next + 1] === 1
    position = fieldEnd
  }
  return message
}

function readVarint(bytes: Buffer, start: number, end: number): { readonly value: bigint; readonly next: number } {
  let low = 0
  let scale = 1
  let position = start
  // Numbers hold seven groups of seven bits exactly, which lengths need; times take ten.
  for (; position < end && position < start + 7; position++, scale *= 128) {
    const byte = bytes[position] ?? 0
    low += (byte & 0x7f) * scale
    if (byte < 0x80) return { value: BigInt(low), next: position + 1 }
  }
  let value = BigInt(low)
  for (let shift = 49n; position < end && position < start + 10; position++, shift += 7n) {
    const byte = bytes[position] ?? 0
    value += BigInt(byte & 0x7f) << shift
    if (byte < 0x80) return { value, next: position + 1 }
  }
  return { value, next: end + 1 }
}

export const localFormat: LogFormat = {
  decoder: (query) => new LocalDecoder(query),
  count(bytes) {
    let entries = 0
    const consumed = eachEntry(bytes, () => {
      entries++
      return true
    })
    return { entries, consumed }
  },
  async tail(file, size, entries) {
    const lengths = Buffer.alloc(sizeBytes)
    let end = size
    let found = 0
    // Each entry ends with its length, so the way back is as plain as the way forth.
    for (; found < entries && end >= 2 * sizeBytes; found++) {
      await file.read(lengths, end - sizeBytes)
      const start = end - 2 * sizeBytes - lengths.readUInt32BE()
      if (start < 0) break
      end = start
    }
    return found < entries ? { start: 0, entries: found } : { start: end, entries }
  },
}
