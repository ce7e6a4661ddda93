import { createReadStream, createWriteStream } from 'node:fs'
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { codeOf, KeyedLock, messageOf } from '@berth/base'
import { fileIdentity, findRotated, type RotatedFile, rotatedPath } from './log-paths.ts'
import type { Warn } from './rotating-file.ts'

const running = new Set<string>()

/** By a log's path: whoever gives its rotated files other names, or relies on those they have. */
export const renaming = new KeyedLock<string>()

/** Compresses a log's rotated files in libuv's pool, one at a time; more that come meanwhile follow. Returns at once. */
export function compressRotated(path: string, warn: Warn): void {
  if (running.has(path)) return
  running.add(path)
  compressAll(path)
    .catch((error: unknown) => {
      // Its container has been removed.
      if (codeOf(error) === 'ENOENT') return
      warn({ path, error: messageOf(error) }, 'rotated log is left uncompressed')
    })
    .finally(() => running.delete(path))
}

async function compressAll(path: string): Promise<void> {
  for (;;) {
    const file = await renaming.run(path, () => openOldestPlain(path))
    if (!file) return
    await compress(path, file)
  }
}

async function openOldestPlain(path: string): Promise<FileHandle | undefined> {
  const plain = (await findRotated(path)).find(({ compressed }) => !compressed)
  return plain && (await open(plain.path, 'r'))
}

/** The file may be renamed, or go, by further rotations meanwhile: it is found again by its identity. */
async function compress(path: string, file: FileHandle): Promise<void> {
  const temporary = `${path}.gz.next`
  try {
    const status = await file.stat({ bigint: true })
    const identity = fileIdentity(status)
    await gzip(file, temporary, { lastTime: status.mtime.toISOString(), file: identity })
    await renaming.run(path, () => replace(path, identity, temporary))
  } finally {
    await file.close()
    await rm(temporary, { force: true })
  }
}

async function replace(path: string, identity: string, by: string): Promise<void> {
  const now = await findByIdentity(path, identity)
  if (!now) return
  await rename(by, rotatedPath(path, now.index, true))
  await rm(now.path, { force: true })
}

/** RFC 1952, with Docker's JSON in the extra field: readers learn from it what the file was. */
async function gzip(file: FileHandle, to: string, extra: { lastTime: string; file: string }): Promise<void> {
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
    createReadStream('', { fd: file, autoClose: false, highWaterMark: 256 * 1024 }),
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

async function findByIdentity(path: string, identity: string): Promise<RotatedFile | undefined> {
  for (const file of await findRotated(path)) {
    if (!file.compressed && (await identityOf(file.path)) === identity) return file
  }
  return undefined
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    return fileIdentity(await stat(path, { bigint: true }))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}
