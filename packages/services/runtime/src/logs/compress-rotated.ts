import {
  closeSync,
  createReadStream,
  createWriteStream,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import type { Readable } from 'node:stream'
import { codeOf, messageOf } from '@berth/base'
import { fileIdentity, listRotated, rotatedPath } from './log-paths.ts'
import type { Warn } from './rotating-file.ts'

const running = new Set<string>()

/** Compresses a log's rotated files in libuv's pool, one at a time; more that come meanwhile follow. Returns at once. */
export function compressRotated(path: string, warn: Warn): void {
  if (running.has(path)) return
  running.add(path)
  compressAll(path)
    .catch((error: unknown) => warn({ path, error: messageOf(error) }, 'rotated log is left uncompressed'))
    .finally(() => running.delete(path))
}

async function compressAll(path: string): Promise<void> {
  for (;;) {
    const plain = listRotated(path).find(({ compressed }) => !compressed)
    if (!plain) return
    await compress(path, plain.path)
  }
}

/** The file may be renamed, or go, by further rotations meanwhile: it is found again by its identity. */
async function compress(path: string, plainPath: string): Promise<void> {
  const fd = openSync(plainPath, 'r')
  const status = fstatSync(fd, { bigint: true })
  const identity = fileIdentity(status)
  const temporary = `${path}.gz.next`
  try {
    await gzip(fd, temporary, { lastTime: status.mtime.toISOString(), file: identity })
    const now = listRotated(path).find((file) => !file.compressed && identityOf(file.path) === identity)
    if (!now) return
    renameSync(temporary, rotatedPath(path, now.index, true))
    rmSync(now.path, { force: true })
  } finally {
    closeSync(fd)
    rmSync(temporary, { force: true })
  }
}

/** RFC 1952, with Docker's JSON in the extra field: readers learn from it what the file was. */
async function gzip(fd: number, to: string, extra: { lastTime: string; file: string }): Promise<void> {
  const [{ createDeflateRaw, crc32 }, { pipeline }] = await Promise.all([
    import('node:zlib'),
    import('node:stream/promises'),
  ])
  const extraBytes = Buffer.from(JSON.stringify(extra))
  const head = Buffer.alloc(12)
  head.set([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff])
  head.writeUInt16LE(extraBytes.length, 10)
  const trailer = Buffer.alloc(8)
  let checksum = 0
  let size = 0
  const output = createWriteStream(to, { mode: 0o640 })
  output.write(Buffer.concat([head, extraBytes]))
  await pipeline(
    createReadStream('', { fd, autoClose: false, highWaterMark: 256 * 1024 }),
    async function* summed(source: Readable) {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        checksum = crc32(chunk, checksum)
        size += chunk.length
        yield chunk
      }
    },
    createDeflateRaw({ level: 6 }),
    output,
    { end: false },
  )
  trailer.writeUInt32LE(checksum, 0)
  trailer.writeUInt32LE(size >>> 0, 4)
  await new Promise<void>((resolve, reject) => {
    output.once('error', reject)
    output.end(trailer, resolve)
  })
}

function identityOf(path: string): string | undefined {
  try {
    return fileIdentity(statSync(path, { bigint: true }))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
