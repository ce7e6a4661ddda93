import { nameData } from './message.ts'

/** A question as a client's library asks it. */
export function question(name: string, type: number, { id = 7, edns }: { id?: number; edns?: number } = {}): Buffer {
  const header = Buffer.alloc(12)
  header.writeUInt16BE(id, 0)
  header.writeUInt16BE(0x0100, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(edns === undefined ? 0 : 1, 10)
  const opt = Buffer.alloc(edns === undefined ? 0 : 11)
  if (edns !== undefined) opt.writeUInt16BE(41, 1)
  if (edns !== undefined) opt.writeUInt16BE(edns, 3)
  return Buffer.concat([header, nameData(name) ?? Buffer.of(0), Buffer.of(0, type, 0, 1), opt])
}

export interface ReadAnswer {
  readonly id: number
  readonly code: number
  readonly isTruncated: boolean
  /** Addresses of A records as text, other contents as hexadecimal digits. */
  readonly records: readonly string[]
}

/** Reads an answer whose records are named by a pointer, as this engine's are. */
export function readAnswer(message: Buffer): ReadAnswer {
  const flags = message.readUInt16BE(2)
  const records: string[] = []
  let offset = 12
  while (message[offset] !== 0) offset += 1 + (message[offset] ?? 0)
  offset += 5
  for (let index = 0; index < message.readUInt16BE(6); index++) {
    const length = message.readUInt16BE(offset + 10)
    const data = message.subarray(offset + 12, offset + 12 + length)
    records.push(length === 4 ? data.join('.') : data.toString('hex'))
    offset += 12 + length
  }
  return { id: message.readUInt16BE(0), code: flags & 15, isTruncated: (flags & 0x200) !== 0, records }
}
