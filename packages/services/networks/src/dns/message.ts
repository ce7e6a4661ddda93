import { parseAddress } from '@berth/linux'

// RFC 1035 and, for the OPT record, RFC 6891.
export const recordTypes = { A: 1, PTR: 12, AAAA: 28, OPT: 41 } as const
export const responseCodes = { ok: 0, formatError: 1, serverFailure: 2, noSuchName: 3, notImplemented: 4 } as const
export type ResponseCode = (typeof responseCodes)[keyof typeof responseCodes]

const headerBytes = 12
const maxNameBytes = 255
const classIn = 1
/** What a client takes by UDP that does not say so. */
const plainUdpBytes = 512
/** What the engine takes by UDP, as it says in its answers. */
const ownUdpBytes = 1232
const timeToLiveSeconds = 600

const flagResponse = 0x8000
const flagTruncated = 0x0200
const flagRecursionDesired = 0x0100
const flagRecursionAvailable = 0x0080
const opcodeMask = 0x7800

/** A question as a client asked it. */
export interface Query {
  readonly id: number
  readonly recursionDesired: boolean
  /** In lower case, without the root's dot. */
  readonly name: string
  readonly type: number
  readonly isInternet: boolean
  /** The question as it came, to be repeated in the answer. */
  readonly question: Buffer
  /** Largest answer by UDP. */
  readonly udpBytes: number
  readonly hasEdns: boolean
}

/** What came and is no question that can be answered: undefined where no answer is due. */
export interface BadQuery {
  readonly id: number
  readonly code: ResponseCode
}

/** Decodes what may be anything. Undefined: no answer is due. */
export function parseQuery(message: Buffer): Query | BadQuery | undefined {
  if (message.length < headerBytes) return undefined
  const id = message.readUInt16BE(0)
  const flags = message.readUInt16BE(2)
  if (flags & flagResponse) return undefined
  if (flags & opcodeMask) return { id, code: responseCodes.notImplemented }
  if (message.readUInt16BE(4) !== 1) return { id, code: responseCodes.formatError }
  const name = parseName(message, headerBytes)
  if (!name || name.end + 4 > message.length) return { id, code: responseCodes.formatError }
  const edns = findEdns(message, name.end + 4)
  return {
    id,
    recursionDesired: (flags & flagRecursionDesired) !== 0,
    name: name.text,
    type: message.readUInt16BE(name.end),
    isInternet: message.readUInt16BE(name.end + 2) === classIn,
    question: Buffer.from(message.subarray(headerBytes, name.end + 4)),
    udpBytes: Math.max(plainUdpBytes, edns ?? 0),
    hasEdns: edns !== undefined,
  }
}

/** An uncompressed name: a question has nothing before it to refer to. */
function parseName(message: Buffer, start: number): { readonly text: string; readonly end: number } | undefined {
  const labels: string[] = []
  for (let offset = start; offset < message.length && offset - start < maxNameBytes;) {
    const length = message[offset] ?? 0
    if (length === 0) return { text: labels.join('.').toLowerCase(), end: offset + 1 }
    if (length > 63 || offset + 1 + length > message.length) return undefined
    labels.push(message.toString('latin1', offset + 1, offset + 1 + length))
    offset += 1 + length
  }
  return undefined
}

/** The payload size of an OPT record that follows the question at once, as clients send it. */
function findEdns(message: Buffer, offset: number): number | undefined {
  const isNext = message.readUInt16BE(6) === 0 && message.readUInt16BE(8) === 0 && message.readUInt16BE(10) > 0
  if (!isNext || offset + 11 > message.length || message[offset] !== 0) return undefined
  return message.readUInt16BE(offset + 1) === recordTypes.OPT ? message.readUInt16BE(offset + 3) : undefined
}

export interface Answer {
  readonly code: ResponseCode
  /** The contents of records of the type that was asked for. */
  readonly records: readonly Buffer[]
}

/** The answer, at most `maxBytes` long: what does not fit is left out, and a UDP client told to ask again by TCP. */
export function buildResponse(query: Query, { code, records }: Answer, maxBytes = 65_535): Buffer {
  const edns = query.hasEdns ? ednsRecord() : Buffer.alloc(0)
  let room = maxBytes - headerBytes - query.question.length - edns.length
  const fitting = records.map((data) => record(query.type, data)).filter((bytes) => (room -= bytes.length) >= 0)
  const header = buildHeader(query.id, {
    code,
    answers: fitting.length,
    additional: query.hasEdns ? 1 : 0,
    flags: (query.recursionDesired ? flagRecursionDesired : 0) | (fitting.length < records.length ? flagTruncated : 0),
  })
  return Buffer.concat([header, query.question, ...fitting, edns])
}

/** What a question gets that is none. */
export function buildRefusal({ id, code }: BadQuery): Buffer {
  const header = buildHeader(id, { code, answers: 0, additional: 0, flags: 0 })
  header.writeUInt16BE(0, 4)
  return header
}

interface HeaderFields {
  readonly code: ResponseCode
  readonly answers: number
  readonly additional: number
  readonly flags: number
}

function buildHeader(id: number, { code, answers, additional, flags }: HeaderFields): Buffer {
  const header = Buffer.alloc(headerBytes)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(flagResponse | flagRecursionAvailable | flags | code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(answers, 6)
  header.writeUInt16BE(additional, 10)
  return header
}

/** Named by a pointer to the question. */
function record(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc000 | headerBytes, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(classIn, 4)
  head.writeUInt32BE(timeToLiveSeconds, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function ednsRecord(): Buffer {
  const bytes = Buffer.alloc(11)
  bytes.writeUInt16BE(recordTypes.OPT, 1)
  bytes.writeUInt16BE(ownUdpBytes, 3)
  return bytes
}

export const addressData = (address: string): Buffer => parseAddress(address)

/** A name as PTR records have it; undefined: it is not one that DNS can carry. */
export function nameData(name: string): Buffer | undefined {
  const labels = name.split('.').map((label) => Buffer.from(label))
  if (labels.some(({ length }) => length === 0 || length > 63)) return undefined
  const bytes = Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), label]), Buffer.of(0)])
  return bytes.length <= maxNameBytes ? bytes : undefined
}

/** The address that a reverse name stands for. */
export function addressOfReverseName(name: string): string | undefined {
  const v4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa$/.exec(name)
  if (v4) return v4.slice(1).toReversed().join('.')
  const v6 = /^((?:[\da-f]\.){32})ip6\.arpa$/.exec(name)?.[1]
  if (v6 === undefined) return undefined
  const digits = v6.split('.').toReversed().join('')
  return digits.match(/.{4}/g)?.join(':')
}

/** Whether an answer is one to a question that was asked: the id, and the question itself, must be the same. */
export function isResponseTo(message: Buffer, { id, question }: Pick<Query, 'id' | 'question'>): boolean {
  if (message.length < headerBytes + question.length || message.readUInt16BE(0) !== id) return false
  if (!(message.readUInt16BE(2) & flagResponse) || message.readUInt16BE(4) !== 1) return false
  const repeated = message.toString('latin1', headerBytes, headerBytes + question.length)
  return repeated.toLowerCase() === question.toString('latin1').toLowerCase()
}

export const responseCode = (message: Buffer): number => (message[3] ?? 0) & 15
