import { randomBytes } from 'node:crypto'
import type { EntryBoundaries, LogEncoder } from './encoder.ts'
import type { LinePiece } from './line-cutter.ts'

/**
 * Docker's `local` format: entries of a big-endian length, a protobuf message of that length, and the length again.
 *
 *     LogEntry { string source = 1; int64 time_nano = 2; bytes line = 3; bool partial = 4; PartialLogEntryMetadata 5 }
 *     PartialLogEntryMetadata { bool last = 1; string id = 2; int32 ordinal = 3 }
 */
export function localEncoder(stream: 'stdout' | 'stderr'): LogEncoder {
  const source = Buffer.concat([Buffer.from([0x0a, stream.length]), Buffer.from(stream)])
  const head = (timeNs: bigint) => Buffer.concat([source, Buffer.from([0x10, ...varint(timeNs)])])
  let pieceId = ''
  return {
    boundaries: localBoundaries,
    lines: (bytes, timeNs) => encodeLines(bytes, head(timeNs)),
    piece(bytes, piece, timeNs) {
      if (piece.ordinal === 1) pieceId = randomBytes(32).toString('hex')
      return encodeEntry([head(timeNs), lineField(bytes), pieceFields(piece, pieceId)])
    },
  }
}

const lineField = (bytes: Buffer): Buffer =>
  bytes.length === 0 ? bytes : Buffer.concat([Buffer.from([0x1a, ...varint(BigInt(bytes.length))]), bytes])

function pieceFields({ ordinal, last }: LinePiece, id: string): Buffer {
  const lastField = last ? [0x08, 1] : []
  const metadata = [...lastField, 0x12, id.length, ...Buffer.from(id), 0x18, ...varint(BigInt(ordinal))]
  return Buffer.from([0x20, 1, 0x2a, ...varint(BigInt(metadata.length)), ...metadata])
}

function encodeEntry(parts: readonly Buffer[]): Buffer {
  const message = Buffer.concat(parts)
  const size = Buffer.alloc(4)
  size.writeUInt32BE(message.length)
  return Buffer.concat([size, message, size])
}

// Two sizes, the head, the line's tag and length.
const overheadBytes = 8 + 32 + 6

let output = Buffer.allocUnsafeSlow(0)

function encodeLines(bytes: Buffer, head: Buffer): Buffer {
  let position = 0
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start)
    position = putEntry(position, head, bytes.subarray(start, end))
    start = end + 1
  }
  return output.subarray(0, position)
}

function putEntry(position: number, head: Buffer, line: Buffer): number {
  reserve(position + line.length + overheadBytes, position)
  const start = position + 4
  let end = start + head.copy(output, start)
  if (line.length > 0) {
    output[end++] = 0x1a
    let length = line.length
    for (; length > 0x7f; length >>>= 7) output[end++] = (length & 0x7f) | 0x80
    output[end++] = length
    end += line.copy(output, end)
  }
  output.writeUInt32BE(end - start, position)
  return output.writeUInt32BE(end - start, end)
}

function reserve(length: number, used: number): void {
  if (output.length >= length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(length * 2, 256 * 1024))
  output.copy(larger, 0, 0, used)
  output = larger
}

function varint(value: bigint): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

export const localBoundaries: EntryBoundaries = {
  after(bytes, position) {
    let end = 0
    while (end < position && end < bytes.length) end += 8 + bytes.readUInt32BE(end)
    return end
  },
  before(bytes, position) {
    let end = 0
    for (let next = 0; next <= position; next = end + 8 + bytes.readUInt32BE(end)) {
      end = next
      if (end >= bytes.length) break
    }
    return end
  },
  async intact(file, size) {
    const lengths = Buffer.alloc(4)
    const lengthAt = async (position: number) =>
      (await file.read(lengths, 0, 4, position)).bytesRead === 4 ? lengths.readUInt32BE() : undefined
    // The usual case at one look; else entry by entry from the start.
    const last = size >= 8 ? await lengthAt(size - 4) : undefined
    if (last !== undefined && last + 8 <= size && (await lengthAt(size - 8 - last)) === last) return size
    let end = 0
    for (let length = await lengthAt(0); length !== undefined; length = await lengthAt(end)) {
      if (end + 8 + length > size || (await lengthAt(end + 4 + length)) !== length) break
      end += 8 + length
    }
    return end
  },
}
