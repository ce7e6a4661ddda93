import { formatTimeNs, parseTimeNs } from '@berth/base'
import type { LogQuery } from '../log-query.ts'
import type { Decoded, LogDecoder, LogFormat } from './decoder.ts'
import { detailsPrefix, frameHeadBytes, LogOutput, TimeBound, timeBytes, wantsStream } from './log-output.ts'
import type { OpenFile } from './open-file.ts'
import { PlainEntries } from './plain-entries.ts'

const newline = 10
const quote = 0x22
const comma = 0x2c
const colon = 0x3a
const backslash = 0x5c
const letterN = 0x6e
const letterU = 0x75
const closingBrace = 0x7d

/** `{"log":"` and `"stream":"stdout",`. */
const logHeadBytes = 8
const streamFieldBytes = 18

/** Where an entry's parts are, in the bytes that hold it. */
interface Entry {
  stream: 1 | 2
  /** The text, still escaped. */
  textStart: number
  textEnd: number
  timeStart: number
  timeEnd: number
  /** The ones that the decoder knows. */
  hasAttrs: boolean
}

const noDetails = detailsPrefix({})

/**
 * Decodes json-file logs in whole chunks. An entry as Docker writes it is taken apart by position, from its end, and only
 * looked at byte by byte where it has escapes; any other JSON object goes through JSON.parse.
 */
class JsonFileDecoder implements LogDecoder {
  finished = false
  readonly #query: LogQuery
  readonly #since: TimeBound | undefined
  readonly #until: TimeBound | undefined
  readonly #output = new LogOutput()
  readonly #plain: PlainEntries | undefined
  readonly #entry: Entry = { stream: 1, textStart: 0, textEnd: 0, timeStart: 0, timeEnd: 0, hasAttrs: false }
  #skip = 0
  /** The attributes of the last entry that had any: usually all have the same. */
  #attrs = Buffer.alloc(0)
  #details = noDetails

  constructor(query: LogQuery) {
    this.#query = query
    this.#plain = PlainEntries.suits(query) ? new PlainEntries(query) : undefined
    this.#since = query.sinceNs === undefined ? undefined : new TimeBound(query.sinceNs)
    this.#until = query.untilNs === undefined ? undefined : new TimeBound(query.untilNs)
  }

  skip(entries: number): void {
    this.#skip = entries
  }

  decode(bytes: Buffer): Decoded {
    this.#plain?.begin(bytes)
    let start = this.#decodePlain(0)
    for (let end = bytes.indexOf(newline, start); end >= 0 && !this.finished; end = bytes.indexOf(newline, start)) {
      if (this.#skip > 0) this.#skip--
      else this.#line(bytes, start, end)
      start = this.#decodePlain(end + 1)
    }
    return { output: this.#output.take(Math.min(bytes.length, 1 << 20)), consumed: start }
  }

  /** Entries that need no look at each: returns where the first other one begins. */
  #decodePlain(start: number): number {
    return this.#plain && this.#skip === 0 ? this.#plain.decode(start, this.#output) : start
  }

  #line(bytes: Buffer, start: number, end: number): void {
    const entry = this.#entry
    if (this.#locate(bytes, start, end)) this.#put(bytes, entry, entry.hasAttrs ? this.#details : noDetails)
    else this.#foreign(bytes.toString('utf8', start, end))
  }

  /** Finds the parts of an entry of Docker's shape, from its end; false when it has another. */
  #locate(bytes: Buffer, start: number, end: number): boolean {
    if (bytes[end - 1] !== closingBrace || bytes[end - 2] !== quote || bytes[start + 7] !== quote) return false
    const entry = this.#entry
    entry.timeEnd = end - 2
    let time = end - 3
    for (const limit = end - 34; time > limit && bytes[time] !== quote; time--);
    // ,"time":"
    if (bytes[time] !== quote || bytes[time - 1] !== colon || bytes[time - 8] !== comma || bytes[time - 6] !== 0x74)
      return false
    entry.timeStart = time + 1
    if (bytes[entry.timeEnd - 1] !== 0x5a) return false
    entry.hasAttrs = bytes[time - 9] === closingBrace
    const streamEnd = entry.hasAttrs ? this.#attrsStart(bytes, start, time - 8) : time - 7
    return streamEnd > 0 && this.#locateText(bytes, start, streamEnd - streamFieldBytes)
  }

  /** `"stream":"stdout",` is at `field`, and before it `{"log":"...",`. */
  #locateText(bytes: Buffer, start: number, field: number): boolean {
    const entry = this.#entry
    if (bytes[field] !== quote || bytes[field + 1] !== 0x73 || bytes[field + 8] !== colon) return false
    // std(o)ut or std(e)rr
    const kind = bytes[field + 13]
    if (kind !== 0x6f && kind !== 0x65) return false
    entry.stream = kind === 0x6f ? 1 : 2
    entry.textStart = start + logHeadBytes
    entry.textEnd = field - 2
    return (
      entry.textEnd >= entry.textStart &&
      bytes[field - 2] === quote &&
      bytes[start + 1] === quote &&
      bytes[start + 2] === 0x6c
    )
  }

  /** The attributes that end before `end` are the ones known: their start, after which the stream ends. Else 0. */
  #attrsStart(bytes: Buffer, start: number, end: number): number {
    const known = this.#attrs
    const from = end - known.length
    if (known.length === 0 || from < start + logHeadBytes + streamFieldBytes) return 0
    return known.compare(bytes, from, end) === 0 ? from : 0
  }

  /** An entry whose attributes are new, or that something else than Docker or Berth wrote. */
  #foreign(line: string): void {
    const parsed = parseEntry(line)
    if (!parsed) return
    const { text, stream, time, attrs } = parsed
    const details = attrs ? detailsPrefix(attrs) : noDetails
    const textBytes = Buffer.from(JSON.stringify(text).slice(1, -1))
    const bytes = Buffer.concat([textBytes, Buffer.from(time)])
    const entry: Entry = {
      stream,
      textStart: 0,
      textEnd: textBytes.length,
      timeStart: textBytes.length,
      timeEnd: bytes.length,
      hasAttrs: attrs !== undefined,
    }
    this.#put(bytes, entry, details)
    this.#learnAttrs(line, details)
  }

  /** Entries with these attributes are found by position from now on. */
  #learnAttrs(line: string, details: Buffer): void {
    const field = /","stream":"std(?:out|err)",("attrs":\{.*\}),"time":"[^"]*"\}$/.exec(line)?.[1]
    if (field === undefined) return
    this.#attrs = Buffer.from(field)
    this.#details = details
  }

  #put(bytes: Buffer, entry: Entry, details: Buffer): void {
    const { timeStart, timeEnd } = entry
    if (this.#since && this.#since.compare(bytes, timeStart, timeEnd) < 0) return
    if (this.#until && this.#until.compare(bytes, timeStart, timeEnd) > 0) {
      this.finished = true
      return
    }
    if (!wantsStream(this.#query, entry.stream)) return
    const output = this.#output
    output.reserve(frameHeadBytes + timeBytes + details.length + entry.textEnd - entry.textStart)
    const start = output.length
    if (!this.#query.raw) output.beginFrame(entry.stream)
    if (this.#query.timestamps) output.putTime(bytes, timeStart, timeEnd)
    if (this.#query.details) output.put(details, 0, details.length)
    putText(output, bytes, entry.textStart, entry.textEnd)
    if (!this.#query.raw) output.endFrame(start)
  }
}

/** Most entries have one escape, the newline at their end. */
function putText(output: LogOutput, bytes: Buffer, start: number, end: number): void {
  const first = bytes.indexOf(backslash, start)
  if (first < 0 || first >= end) return output.put(bytes, start, end)
  output.put(bytes, start, first)
  if (first === end - 2 && bytes[end - 1] === letterN) return output.putByte(newline)
  putEscaped(output, bytes, first, end)
}

function putEscaped(output: LogOutput, bytes: Buffer, start: number, end: number): void {
  for (let position = start; position < end;) {
    const byte = bytes[position] ?? 0
    if (byte !== backslash) {
      output.putByte(byte)
      position++
    } else if (bytes[position + 1] === letterU) {
      position = putCodeUnits(output, bytes, position, end)
    } else {
      output.putByte(plainEscapes[bytes[position + 1] ?? 0] ?? 0x3f)
      position += 2
    }
  }
}

/** JSON's one-letter escapes (RFC 8259, section 7). */
const plainEscapes = new Uint8Array(128)
for (const [letter, character] of Object.entries({
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  '"': '"',
  '\\': '\\',
  '/': '/',
})) {
  plainEscapes[letter.charCodeAt(0)] = character.charCodeAt(0)
}

/** A run of \uXXXX, together since two of them may be one character. Returns where it ends. */
function putCodeUnits(output: LogOutput, bytes: Buffer, start: number, end: number): number {
  let text = ''
  let position = start
  while (position + 6 <= end && bytes[position] === backslash && bytes[position + 1] === letterU) {
    text += String.fromCharCode(Number.parseInt(bytes.toString('latin1', position + 2, position + 6), 16) || 0)
    position += 6
  }
  const encoded = Buffer.from(text)
  output.put(encoded, 0, encoded.length)
  return position > start ? position : end
}

interface ParsedEntry {
  readonly text: string
  readonly stream: 1 | 2
  /** RFC 3339 in UTC. */
  readonly time: string
  readonly attrs?: Record<string, string>
}

/** Undefined when the line is corrupt. */
function parseEntry(line: string): ParsedEntry | undefined {
  let entry: { log?: unknown; stream?: unknown; time?: unknown; attrs?: unknown } | null
  try {
    entry = JSON.parse(line) as typeof entry
  } catch {
    return undefined
  }
  if (typeof entry !== 'object' || entry === null) return undefined
  const timeNs = typeof entry.time === 'string' ? parseTimeNs(entry.time) : undefined
  const { log = '', stream = 'stdout' } = entry
  if (typeof log !== 'string' || timeNs === undefined) return undefined
  return { text: log, stream: stream === 'stderr' ? 2 : 1, time: formatTimeNs(timeNs), attrs: parseAttrs(entry.attrs) }
}

function parseAttrs(attrs: unknown): Record<string, string> | undefined {
  if (typeof attrs !== 'object' || attrs === null) return undefined
  return Object.fromEntries(Object.entries(attrs).map(([name, value]) => [name, String(value)]))
}

const blockBytes = 64 * 1024

export const jsonFileFormat: LogFormat = {
  decoder: (query) => new JsonFileDecoder(query),
  count(bytes) {
    let entries = 0
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      entries++
      start = end + 1
    }
    return { entries, consumed: start }
  },
  async tail(file, size, entries) {
    const block = Buffer.allocUnsafe(blockBytes)
    // The newline before the first wanted entry is one more than the entries have.
    let wanted = entries + 1
    for (let end = size; end > 0;) {
      const from = Math.max(0, end - blockBytes)
      const bytes = await readBlock(file, block, from, end)
      for (let at = bytes.lastIndexOf(newline); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(newline, at - 1)) {
        if (--wanted === 0) return { start: from + at + 1, entries }
      }
      end = from
    }
    return { start: 0, entries: entries + 1 - wanted }
  },
}

async function readBlock(file: OpenFile, block: Buffer, from: number, to: number): Promise<Buffer> {
  const bytesRead = await file.read(block.subarray(0, to - from), from)
  return block.subarray(0, bytesRead)
}
