import { statSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '@berth/base'
import { fileIdentity, listRotated } from './log-paths.ts'
import { OpenFile } from './open-file.ts'

/** An open file of a log. It stays readable however it is renamed or removed. */
export interface LogFile {
  readonly handle: OpenFile
  readonly compressed: boolean
  /** What the file was when it was written; undefined for one that was compressed by somebody else. */
  readonly identity: string | undefined
}

const attempts = 60
/** A rotation renames one file after the other: it is let go on before the next look. */
const maxWaitMs = 10

/** Opens all files of a log, oldest first, the current one last; as they were at one moment, between two rotations. */
export async function openLogFiles(path: string): Promise<LogFile[]> {
  for (let attempt = 1; ; attempt++) {
    const before = currentIdentity(path)
    const files = await tryOpenAll(path)
    if (files && currentIdentity(path) === before) return files
    closeAll(files ?? [])
    if (attempt === attempts) throw new Error(`log ${path} is rotated faster than it can be opened`)
    await delay(Math.min(attempt - 1, maxWaitMs))
  }
}

/** Those of a log's files that were begun after the one with `identity`; all when it is gone. */
export async function openLogFilesAfter(path: string, identity: string | undefined): Promise<LogFile[]> {
  const files = await openLogFiles(path)
  // From the end: an inode's number may have been used before.
  const known = identity === undefined ? -1 : files.findLastIndex((file) => file.identity === identity)
  closeAll(files.slice(0, known + 1))
  return files.slice(known + 1)
}

export function closeAll(files: readonly LogFile[]): void {
  for (const { handle } of files) handle.close()
}

/** Undefined when there is none. */
export function currentIdentity(path: string): string | undefined {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  return status && fileIdentity(status)
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
    closeAll(files)
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
  const handle = new OpenFile(path)
  const identity = compressed ? await readGzipIdentity(handle) : fileIdentity(handle.status())
  return { handle, compressed, identity }
}

/** From the extra field that `compressRotated` wrote (RFC 1952, 2.3.1). */
async function readGzipIdentity(file: OpenFile): Promise<string | undefined> {
  const head = Buffer.alloc(512)
  const bytesRead = await file.read(head, 0)
  const extraBytes = head.readUInt16LE(10)
  if (bytesRead < 12 + extraBytes || ((head[3] ?? 0) & 4) === 0) return undefined
  try {
    const extra = JSON.parse(head.toString('utf8', 12, 12 + extraBytes)) as { file?: unknown } | null
    return typeof extra?.file === 'string' ? extra.file : undefined
  } catch {
    return undefined
  }
}
