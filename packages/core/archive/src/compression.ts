import { EngineError, codeOf, invalid, messageOf } from '@berth/base'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import * as zlib from 'node:zlib'
import { externalDecompressor } from './external-decompressor.ts'

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

const magics: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.from('1f8b08', 'hex')],
  ['zstd', Buffer.from('28b52ffd', 'hex')],
  ['xz', Buffer.from('fd377a585a00', 'hex')],
  ['bzip2', Buffer.from('BZh')],
]
/** RFC 8878, section 3.1.2: a zstd stream may begin with skippable frames, 0x184D2A50 to 0x184D2A5F. */
const isSkippableFrame = (head: Buffer): boolean =>
  head.length >= 4 && (head.readUInt32LE(0) & 0xfffffff0) >>> 0 === 0x184d2a50

/** Bytes that `detectCompression()` wants to see. */
export const magicBytes = 6

/** Tells a format by its first bytes; 'none' for anything that is no known compression. */
export function detectCompression(head: Buffer): Compression {
  if (isSkippableFrame(head)) return 'zstd'
  return magics.find(([, magic]) => head.subarray(0, magic.length).equals(magic))?.[0] ?? 'none'
}

/** Guards against decompression bombs. */
export interface DecompressionLimits {
  /** Most bytes that may come out. */
  readonly maxBytes: number
  /** Most bytes out per byte in. gzip itself cannot exceed 1032. */
  readonly maxRatio: number
  /** The ratio is judged once more bytes than this came out: honest streams have long runs of zeros too. */
  readonly ratioGraceBytes: number
}

export const defaultDecompressionLimits: DecompressionLimits = {
  maxBytes: 256 * 2 ** 30,
  maxRatio: 1100,
  ratioGraceBytes: 2 ** 30,
}

/** Large chunks: while one is unpacked here, libuv's pool works on the next. */
const chunkSize = 512 << 10

/**
 * The decompressed bytes of `source`, whose format is found out by its first bytes. Several gzip members or zstd frames
 * in a row are one stream. xz and bzip2 go through the distribution's programs (`unavailable` when absent). A damaged or
 * truncated stream, or one beyond `limits`, fails with `invalid`. `onDetect` hears the format before the first byte.
 */
export async function* decompress(
  source: AsyncIterable<Uint8Array>,
  limits: DecompressionLimits = defaultDecompressionLimits,
  onDetect: (compression: Compression) => void = () => {},
): AsyncGenerator<Buffer> {
  const input = { bytes: 0 }
  const { head, whole } = await peek(source, magicBytes)
  const compression = detectCompression(head)
  onDetect(compression)
  const counted = count(whole, input)
  if (compression === 'none') yield* guard(counted, compression, input, limits)
  else yield* guard(filter(counted, compression), compression, input, limits)
}

/** The first bytes of `source`, and `source` as if they had not been taken. */
export async function peek(
  source: AsyncIterable<Uint8Array>,
  length: number,
): Promise<{ readonly head: Buffer; readonly whole: AsyncIterable<Uint8Array> }> {
  const iterator = source[Symbol.asyncIterator]()
  const taken: Uint8Array[] = []
  let bytes = 0
  while (bytes < length) {
    const next = await iterator.next()
    if (next.done) break
    taken.push(next.value)
    bytes += next.value.length
  }
  const rest = { [Symbol.asyncIterator]: () => iterator }
  return { head: Buffer.concat(taken).subarray(0, length), whole: joined(taken, rest) }
}

async function* joined(head: Uint8Array[], rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head
  yield* rest
}

async function* count(
  source: AsyncIterable<Uint8Array>,
  input: { bytes: number },
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    input.bytes += chunk.length
    yield chunk
  }
}

function filter(source: AsyncIterable<Uint8Array>, compression: Exclude<Compression, 'none'>): AsyncIterable<Buffer> {
  if (compression === 'xz' || compression === 'bzip2') return externalDecompressor(Readable.from(source), compression)
  const transform =
    compression === 'gzip'
      ? zlib.createGunzip({ chunkSize })
      : zlib.createZstdDecompress({ chunkSize, params: zstdWindow })
  // Either end's failure destroys the transform and so ends its reader.
  pipeline(source, transform).catch(() => {})
  return transform as AsyncIterable<Buffer>
}

/** 128 MiB: what `zstd -d` accepts without being told otherwise. */
const zstdWindow = { [zlib.constants.ZSTD_d_windowLogMax]: 27 }

async function* guard(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
  input: { readonly bytes: number },
  limits: DecompressionLimits,
): AsyncGenerator<Buffer> {
  let bytes = 0
  try {
    for await (const chunk of source) {
      bytes += chunk.length
      if (bytes > limits.maxBytes) throw invalid(`more than ${limits.maxBytes} bytes come out`)
      if (compression !== 'none' && bytes > limits.ratioGraceBytes && bytes > input.bytes * limits.maxRatio) {
        throw invalid(`${bytes} bytes come out of ${input.bytes}, a ratio of more than ${limits.maxRatio}`)
      }
      yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    }
  } catch (error) {
    throw described(error, compression)
  }
}

function described(error: unknown, compression: Compression): unknown {
  if (error instanceof EngineError) {
    return error.kind === 'invalid' && compression !== 'none'
      ? invalid(`${compression}: ${error.message}`, error)
      : error
  }
  const isDamaged = codeOf(error)?.startsWith('Z_') || codeOf(error)?.startsWith('ZSTD_')
  return isDamaged ? invalid(`${compression} stream: ${messageOf(error)}`, error) : error
}

export interface CompressOptions {
  /** gzip 1 to 9, default 6; zstd 1 to 19, default 3. */
  readonly level?: number
}

/** A transform that compresses; deterministic for one version of zlib or zstd. */
export function createCompressor(compression: 'gzip' | 'zstd', options: CompressOptions = {}): Transform {
  if (compression === 'gzip') return zlib.createGzip({ level: options.level ?? 6, chunkSize: 64 << 10 })
  const params = { [zlib.constants.ZSTD_c_compressionLevel]: options.level ?? 3 }
  return zlib.createZstdCompress({ params, chunkSize: 64 << 10 })
}
