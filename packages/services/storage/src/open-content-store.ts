import { codeOf, internal, invalid, isDiskFull, type Logger, messageOf, notFound } from '@berth/base'
import { algorithmOf, type Digest, Digester, hexOf, isDigest } from '@berth/oci'
import { randomBytes } from 'node:crypto'
import { createReadStream, type Dirent, readdirSync, statSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { abortable } from './abortable.ts'
import type { BlobInfo, ContentStore, IngestedBlob, IngestOptions, StagedBlob } from './content-store.ts'
import { FileWriter } from './file-writer.ts'
import { PartialBlobs } from './partial-blobs.ts'

export interface ContentStoreOptions {
  /** The engine's data root; the store owns `<root>/content`. */
  readonly root: string
  readonly logger: Logger
  /** The digest of a file, by another thread; default: by this one. */
  readonly digestOf?: (path: string, algorithm: string) => Promise<Digest>
}

const readChunkBytes = 256 * 1024

/** Opens (or creates) the store and deletes what a crash left half written. Blobs are looked up in the directory. */
export async function openContentStore({
  root,
  logger,
  digestOf = digestOfFile,
}: ContentStoreOptions): Promise<ContentStore> {
  const blobs = join(root, 'content', 'blobs')
  const incoming = join(root, 'content', 'ingest')
  await mkdir(join(blobs, 'sha256'), { recursive: true, mode: 0o700 })
  await mkdir(incoming, { recursive: true, mode: 0o700 })
  await sweep(incoming, logger)
  const pathOf = (digest: Digest) => blobPath(blobs, digest)
  const info = (digest: Digest): BlobInfo | undefined => {
    const stat = statSync(pathOf(digest), { throwIfNoEntry: false })
    return stat && { digest, sizeBytes: stat.size }
  }
  const damaged = new Set<Digest>()
  const holds = ({ digest, size }: { readonly digest: Digest; readonly size: number }) =>
    info(digest)?.sizeBytes === size && !damaged.has(digest)
  const target = { incoming, pathOf, info, holds, trust: (digest: Digest) => damaged.delete(digest) }
  const distrust = (digest: Digest) => void damaged.add(digest)
  const examine = async (digest: Digest) => {
    const actual = await ifThere(digestOf(pathOf(digest), algorithmOf(digest)))
    if (actual !== undefined && actual !== digest) distrust(digest)
    return actual
  }
  const ingest = (source: AsyncIterable<Uint8Array>, options: IngestOptions = {}) => ingestBlob(target, source, options)
  const stage = (source: AsyncIterable<Uint8Array>, options: IngestOptions = {}) =>
    stageBlob({ ...target, digestOf }, source, options)
  const adopt = async (path: string, digest: Digest) =>
    place(target, path, { digest, sizeBytes: (await stat(path)).size })
  const partials = await PartialBlobs.open(join(root, 'content', 'partial'), adopt)
  return {
    info,
    holds,
    distrust,
    examine,
    pathOf,
    ingest,
    stage,
    put: (bytes) => ingest(once(bytes)),
    begin: (digest, totalBytes) => partials.begin(digest, totalBytes),
    sweepPartials: () => partials.sweep(),
    adopt,
    read: (digest, maxBytes) => readBlob({ path: pathOf(digest), digest, maxBytes, distrust }),
    open: (digest, range) => createReadStream(pathOf(digest), { highWaterMark: readChunkBytes, ...range }),
    remove: (digest) => rm(pathOf(digest), { force: true }),
    list: () => readdirSync(blobs).flatMap((algorithm) => listBlobs(blobs, algorithm)),
  }
}

function blobPath(blobs: string, digest: Digest): string {
  // A branded digest was parsed, but what becomes a path is checked where it does.
  if (!isDigest(digest)) throw new Error(`not a digest: ${JSON.stringify(digest)}`)
  return join(blobs, algorithmOf(digest), hexOf(digest))
}

async function sweep(incoming: string, logger: Logger): Promise<void> {
  const names = await readdir(incoming)
  if (names.length === 0) return
  logger.info({ count: names.length }, 'content: deleting blobs that were never finished')
  for (const name of names) await rm(join(incoming, name), { recursive: true, force: true })
}

function listBlobs(blobs: string, algorithm: string): BlobInfo[] {
  const entries: Dirent[] = readdirSync(join(blobs, algorithm), { withFileTypes: true })
  return entries.flatMap((entry) => {
    const digest = `${algorithm}:${entry.name}`
    if (!entry.isFile() || !isDigest(digest)) return []
    const stat = statSync(blobPath(blobs, digest), { throwIfNoEntry: false })
    return stat ? [{ digest, sizeBytes: stat.size }] : []
  })
}

interface ReadBlobOptions {
  readonly path: string
  readonly digest: Digest
  readonly maxBytes: number
  readonly distrust: (digest: Digest) => void
}

async function readBlob({ path, digest, maxBytes, distrust }: ReadBlobOptions): Promise<Buffer> {
  await using file = await openBlob(path, digest)
  const { size } = await file.stat()
  if (size > maxBytes) throw invalid(`blob ${digest}: ${size} bytes, at most ${maxBytes} are accepted`)
  const bytes = await file.readFile()
  const digester = new Digester(algorithmOf(digest))
  digester.update(bytes)
  if (digester.digest() === digest) return bytes
  distrust(digest)
  throw internal(`blob ${digest} is corrupt on disk`)
}

async function openBlob(path: string, digest: Digest): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw notFound(`blob ${digest} not found`, error)
    throw error
  }
}

/** Undefined when the file is not there. */
async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

interface Target {
  readonly incoming: string
  readonly pathOf: (digest: Digest) => string
  readonly info: ContentStore['info']
  readonly holds: ContentStore['holds']
  /** A whole blob has come. */
  readonly trust: (digest: Digest) => void
}

/** Writes to a file of its own, so that two ingests of one blob do not meet before the rename. */
async function ingestBlob(
  target: Target,
  source: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<IngestedBlob> {
  const temporary = join(target.incoming, randomBytes(12).toString('hex'))
  try {
    return await place(target, temporary, await writeVerified(temporary, source, options))
  } catch (error) {
    await rm(temporary, { force: true })
    throw explain(error)
  }
}

/** Hashing takes as long as all the rest: it is left to a thread, once everything is in the file. */
async function stageBlob(
  target: Target & { readonly digestOf: (path: string, algorithm: string) => Promise<Digest> },
  source: AsyncIterable<Uint8Array>,
  { expected, sizeBytes, signal }: IngestOptions,
): Promise<StagedBlob> {
  const path = join(target.incoming, randomBytes(12).toString('hex'))
  const orDiscard = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      await rm(path, { force: true })
      throw explain(error)
    }
  }
  const written = await orDiscard(writeStaged(path, source, { expected, sizeBytes, signal }))
  const finish = async () => {
    const digest = await target.digestOf(path, expected ? algorithmOf(expected) : 'sha256')
    requireBlob({ digest, sizeBytes: written }, { expected, sizeBytes })
    await syncFile(path)
    return await place(target, path, { digest, sizeBytes: written })
  }
  return { finish: () => orDiscard(finish()) }
}

async function writeStaged(path: string, source: AsyncIterable<Uint8Array>, options: IngestOptions): Promise<number> {
  await using file = await open(path, 'wx', 0o600)
  return await writeChunks(file, source, options)
}

/** Writes a source to a file, and shows each chunk first; returns its bytes. Throws `invalid` for more than there should be. */
async function writeChunks(
  file: FileHandle,
  source: AsyncIterable<Uint8Array>,
  { expected, sizeBytes, signal }: IngestOptions,
  onChunk?: (chunk: Uint8Array) => void,
): Promise<number> {
  const writer = new FileWriter(file)
  let bytes = 0
  for await (const chunk of signal ? abortable(source, signal) : source) {
    bytes += chunk.length
    if (sizeBytes !== undefined && bytes > sizeBytes) {
      throw invalid(`blob ${expected ?? ''} has more than the ${sizeBytes} bytes it should have`)
    }
    onChunk?.(chunk)
    await writer.write(chunk)
  }
  await writer.flush()
  return bytes
}

async function syncFile(path: string): Promise<void> {
  await using file = await open(path)
  await file.datasync()
}

async function digestOfFile(path: string, algorithm: string): Promise<Digest> {
  const digester = new Digester(algorithm)
  for await (const chunk of createReadStream(path, { highWaterMark: readChunkBytes })) digester.update(chunk as Buffer)
  return digester.digest()
}

function requireBlob(
  blob: BlobInfo,
  { expected, sizeBytes }: { readonly expected: Digest | undefined; readonly sizeBytes: number | undefined },
): void {
  if (sizeBytes !== undefined && blob.sizeBytes !== sizeBytes) {
    throw invalid(`blob ${expected ?? blob.digest} has ${blob.sizeBytes} bytes, not the ${sizeBytes} it should have`)
  }
  if (expected && blob.digest !== expected) throw invalid(`blob has the digest ${blob.digest}, expected ${expected}`)
}

/** A damaged blob is replaced. */
async function place(target: Target, path: string, { digest, sizeBytes }: BlobInfo): Promise<IngestedBlob> {
  if (target.holds({ digest, size: sizeBytes })) {
    await unlink(path)
    return { digest, sizeBytes, isNew: false }
  }
  const isNew = target.info(digest) === undefined
  await settle(path, target.pathOf(digest))
  target.trust(digest)
  return { digest, sizeBytes, isNew }
}

async function writeVerified(
  path: string,
  source: AsyncIterable<Uint8Array>,
  options: IngestOptions,
): Promise<BlobInfo> {
  const { expected, sizeBytes } = options
  await using file = await open(path, 'wx', 0o600)
  const digester = new Digester(expected && algorithmOf(expected))
  const written = await writeChunks(file, source, options, (chunk) => digester.update(chunk))
  const blob = { digest: digester.digest(), sizeBytes: written }
  requireBlob(blob, { expected, sizeBytes })
  await file.datasync()
  return blob
}

/** Moves a finished file to its name for good: the directory is synced, or a power cut could forget the name. */
async function settle(from: string, to: string): Promise<void> {
  const directory = join(to, '..')
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await rename(from, to)
  await using handle = await open(directory)
  await handle.sync()
}

function explain(error: unknown): unknown {
  return isDiskFull(error) ? internal(`content: cannot store a blob: ${messageOf(error)}`, error) : error
}
