import { gathered } from '@berth/base'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { isDense } from './density.ts'

const deflateRaw = promisify<zlib.InputType, zlib.ZlibOptions, Buffer>(zlib.deflateRaw)

/** Compressed apart from the others; larger ones hardly get smaller by it. */
const blockBytes = 512 << 10
/** Blocks of one stream that are under way. */
const defaultAhead = 4

/** RFC 1952, section 2.3: no name, no time, made by the fastest algorithm (XFL 4) on no system in particular. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 4, 255])
/** RFC 1951, section 3.2.6: a last block with fixed codes that has nothing but its end. */
const lastBlock = Buffer.from([3, 0])

/**
 * Deflates a block (RFC 1951): to whole bytes and without a last block, so that another can follow; the same bytes each
 * time. `undefined` when it would not get smaller. The block does not change meanwhile.
 */
export type DeflateBlock = (block: Buffer) => Promise<Buffer | undefined>

export interface GzipBlocksOptions {
  /** By default zlib's fastest level: the others take two to three times as long for a few percent. */
  readonly deflate?: DeflateBlock
  /** Blocks in memory, each half a megabyte and what becomes of it; default 4. */
  readonly ahead?: number
}

/**
 * `source` as one gzip member, whose blocks are compressed side by side in libuv's pool. Bytes that do not compress are
 * stored. The result depends on the bytes and on `deflate` alone, not on how they came.
 */
export async function* gzipBlocks(
  source: AsyncIterable<Uint8Array>,
  { deflate = deflateByZlib, ahead = defaultAhead }: GzipBlocksOptions = {},
): AsyncGenerator<Buffer> {
  const underWay: Promise<Buffer>[] = []
  let [crc, bytes] = [0, 0]
  yield header
  for await (const block of gathered(source, blockBytes)) {
    crc = zlib.crc32(block, crc)
    bytes += block.length
    underWay.push(begin(block, deflate))
    if (underWay.length >= ahead) yield await (underWay.shift() as Promise<Buffer>)
  }
  for (const block of underWay) yield await block
  yield Buffer.concat([lastBlock, trailer(crc, bytes)])
}

/** A failure is heard when the block's turn comes, or by nobody when its reader has gone. */
function begin(block: Buffer, deflate: DeflateBlock): Promise<Buffer> {
  if (isDense(block)) return Promise.resolve(stored(block))
  const compressed = deflate(block).then((result) => result ?? stored(block))
  compressed.catch(() => {})
  return compressed
}

/** A sync flush ends at a whole byte. */
const zlibOptions = { level: 1, memLevel: 9, chunkSize: blockBytes, finishFlush: zlib.constants.Z_SYNC_FLUSH }

async function deflateByZlib(block: Buffer): Promise<Buffer | undefined> {
  const result = await deflateRaw(block, zlibOptions)
  return result.length < block.length ? result : undefined
}

/** RFC 1951, section 3.2.4. */
const maxStoredBytes = 65_535

function stored(block: Buffer): Buffer {
  const pieces = Math.ceil(block.length / maxStoredBytes)
  const result = Buffer.allocUnsafe(block.length + 5 * pieces)
  for (let piece = 0, at = 0; piece < pieces; piece++) {
    const bytes = block.subarray(piece * maxStoredBytes, (piece + 1) * maxStoredBytes)
    result[at] = 0
    result.writeUInt16LE(bytes.length, at + 1)
    result.writeUInt16LE(~bytes.length & 0xffff, at + 3)
    result.set(bytes, at + 5)
    at += 5 + bytes.length
  }
  return result
}

function trailer(crc: number, bytes: number): Buffer {
  const result = Buffer.alloc(8)
  result.writeUInt32LE(crc)
  result.writeUInt32LE(bytes % 2 ** 32, 4)
  return result
}
