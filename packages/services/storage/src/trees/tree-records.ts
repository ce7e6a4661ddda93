import { invalid } from '@berth/base'

/** An entry of a tree that is filled. */
export interface TreeEntry {
  /** By which the content of a file refers to it; unique for each. */
  readonly id: number
  /** Below the tree's root, clean. */
  readonly path: string
  /** With the type's bits (inode(7)). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Of a file: no more than that is taken. */
  readonly sizeBytes: number
  readonly mtimeNs: bigint
  /** Where a symlink leads; of a file: the earlier file that this is another name of, '' for none. */
  readonly link: string
  readonly device: { readonly major: number; readonly minor: number }
}

export type TreeRecord =
  | { readonly kind: 'entry'; readonly entry: TreeEntry }
  /** A piece of a file, in order. */
  | { readonly kind: 'data'; readonly id: number; readonly bytes: Uint8Array }
  /** The file is whole. */
  | { readonly kind: 'end'; readonly id: number }
  /** The file is what the tree before this one has under its path. */
  | { readonly kind: 'same'; readonly id: number }

/** One byte for the kind, then the id, and the lengths of the description and of the bytes, 4 each, little endian. */
const headBytes = 13
const kinds = ['entry', 'data', 'end', 'same'] as const

/** No description is longer: paths and links have 4 KiB at most. */
const maxTextBytes = 64 << 10
const maxDataBytes = 16 << 20

const nothing = new Uint8Array()

/** A record as a thread is told of it. */
export function encodeTreeRecord(record: TreeRecord): Buffer {
  const isEntry = record.kind === 'entry'
  const text = isEntry ? describe(record.entry) : ''
  const bytes = record.kind === 'data' ? record.bytes : nothing
  const textBytes = Buffer.byteLength(text)
  const encoded = Buffer.allocUnsafe(headBytes + textBytes + bytes.length)
  encoded[0] = kinds.indexOf(record.kind)
  encoded.writeUInt32LE(isEntry ? record.entry.id : record.id, 1)
  encoded.writeUInt32LE(textBytes, 5)
  encoded.writeUInt32LE(bytes.length, 9)
  encoded.write(text, headBytes)
  encoded.set(bytes, headBytes + textBytes)
  return encoded
}

type Description = Omit<TreeEntry, 'mtimeNs'> & { readonly mtimeNs: string }

const describe = (entry: TreeEntry): string => JSON.stringify({ ...entry, mtimeNs: String(entry.mtimeNs) })

/** Takes records out of chunks, however they were cut. */
export async function* decodeTreeRecords(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<TreeRecord> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? asBuffer(chunk) : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const end = endOfRecord(bytes, at)
      if (end === undefined) break
      yield parseRecord(bytes.subarray(at, end))
      at = end
    }
    rest = bytes.subarray(at)
  }
  if (rest.length > 0) throw invalid('the tree ended inside of an entry')
}

const asBuffer = (chunk: Uint8Array): Buffer => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)

function endOfRecord(bytes: Buffer, at: number): number | undefined {
  if (bytes.length - at < headBytes) return undefined
  const [text, data] = [bytes.readUInt32LE(at + 5), bytes.readUInt32LE(at + 9)]
  if (text > maxTextBytes || data > maxDataBytes) throw invalid('an entry of the tree is too large')
  const end = at + headBytes + text + data
  return end <= bytes.length ? end : undefined
}

function parseRecord(record: Buffer): TreeRecord {
  const kind = kinds[record[0] as number]
  const id = record.readUInt32LE(1)
  const end = headBytes + record.readUInt32LE(5)
  if (kind === 'data') return { kind, id, bytes: record.subarray(end) }
  if (kind === 'end' || kind === 'same') return { kind, id }
  const entry = JSON.parse(record.toString('utf8', headBytes, end)) as Description
  return { kind: 'entry', entry: { ...entry, mtimeNs: BigInt(entry.mtimeNs) } }
}
