import { type FileHandle, open, stat } from 'node:fs/promises'
import { codeOf } from '@berth/base'
import { fileIdentity, listRotated } from './log-paths.ts'

/** An open file of a log. It stays readable however it is renamed or removed. */
export interface LogFile {
  readonly handle: FileHandle
  readonly compressed: boolean
  /** What the file was when it was written; undefined for one that was compressed by somebody else. */
  readonly identity: string | undefined
}

const attempts = 20

/** Opens all files of a log, oldest first, the current one last; as they were at one moment, between two rotations. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const before = await currentIdentity(path)
    const files = await tryOpenAll(path)
    if (files && (await currentIdentity(path)) === before) return files
    await closeAll(files ?? [])
    if (attempt === attempts) throw new Error(`log ${path} is rotated faster than it can be opened`)
  }
}

/** Those of a log's files that were begun after the one with `identity`; all when it is gone. */
export async function openLogFilesAfter(path: string, identity: string | undefined): Promise<LogFile[]> {
  const files = await openLogFiles(path)
  // From the end: an inode's number may have been used before.
  const known = identity === undefined ? -1 : files.findLastIndex((file) => file.identity === identity)
  await closeAll(files.slice(0, known + 1))
  return files.slice(known + 1)
}

export async function closeAll(files: readonly LogFile[]): Promise<void> {
  await Promise.all(files.map(({ handle }) => handle.close()))
}

/** Undefined when there is none. */
export async function currentIdentity(path: string): Promise<string | undefined> {
  try {
    return fileIdentity(await stat(path, { bigint: true }))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined when a file was renamed meanwhile. */
async function tryOpenAll(path: string): Promise<LogFile[] | undefined> {
  const rotated = rotatedFiles(path)
  // Just compressed: the plain one is still there and will do.
  const distinct = rotated.filter(({ index }, at) => rotated[at - 1]?.index !== index)
  const files: LogFile[] = []
  try {
    for (const file of [...distinct, { path, compressed: false }]) files.push(await openLogFile(file))
    return files
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && files.length === distinct.length) return files
    await closeAll(files)
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function rotatedFiles(path: string): ReturnType<typeof listRotated> {
  try {
    return listRotated(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

async function openLogFile({ path, compressed }: { path: string; compressed: boolean }): Promise<LogFile> {
  const handle = await open(path, 'r')
  const identity = compressed ? await readGzipIdentity(handle) : fileIdentity(await handle.stat({ bigint: true }))
  return { handle, compressed, identity }
}

/** From the extra field that `compressRotated` wrote (RFC 1952, 2.3.1). */
async function readGzipIdentity(handle: FileHandle): Promise<string | undefined> {
  const head = Buffer.alloc(512)
  const { bytesRead } = await handle.read(head, 0, head.length, 0)
  const extraBytes = head.readUInt16LE(10)
  if (bytesRead < 12 + extraBytes || ((head[3] ?? 0) & 4) === 0) return undefined
  try {
    const extra = JSON.parse(head.toString('utf8', 12, 12 + extraBytes)) as { file?: unknown } | null
    return typeof extra?.file === 'string' ? extra.file : undefined
  } catch {
    return undefined
  }
}
