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

/** Length of the description and of the bytes, 4 each, little endian. */
const headBytes = 8

/** No description is longer: paths and links have 4 KiB at most. */
const maxTextBytes = 64 << 10
const maxDataBytes = 16 << 20

/** A record as a thread is told of it. */
export function encodeTreeRecord(record: TreeRecord): Buffer {
  const bytes = record.kind === 'data' ? record.bytes : new Uint8Array()
  const text = Buffer.from(JSON.stringify(describe(record)))
  const head = Buffer.allocUnsafe(headBytes)
  head.writeUInt32LE(text.length, 0)
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, text, bytes])
}

type Description =
  | (Omit<TreeEntry, 'mtimeNs'> & { readonly kind: 'entry'; readonly mtimeNs: string })
  | { readonly kind: 'data' | 'end'; readonly id: number }

function describe(record: TreeRecord): Description {
  if (record.kind !== 'entry') return { kind: record.kind, id: record.id }
  return { kind: 'entry', ...record.entry, mtimeNs: String(record.entry.mtimeNs) }
}

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
  const [text, data] = [bytes.readUInt32LE(at), bytes.readUInt32LE(at + 4)]
  if (text > maxTextBytes || data > maxDataBytes) throw invalid('an entry of the tree is too large')
  const end = at + headBytes + text + data
  return end <= bytes.length ? end : undefined
}

function parseRecord(record: Buffer): TreeRecord {
  const text = record.readUInt32LE(0)
  const description = JSON.parse(record.toString('utf8', headBytes, headBytes + text)) as Description
  if (description.kind === 'entry') {
    const { kind, ...entry } = description
    return { kind, entry: { ...entry, mtimeNs: BigInt(entry.mtimeNs) } }
  }
  const { kind, id } = description
  return kind === 'data' ? { kind, id, bytes: record.subarray(headBytes + text) } : { kind: 'end', id }
}
