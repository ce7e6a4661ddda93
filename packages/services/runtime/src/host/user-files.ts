import { closeSync, constants, fstatSync, readSync } from 'node:fs'
import { codeOf, invalid } from '@berth/base'
import { openInRoot } from '@berth/linux'
import type { UserFiles } from '../spec/users.ts'

// Larger than any directory that is really shipped in an image; a hostile one shall not fill the engine's memory.
const maxBytes = 4 * 1024 * 1024

/** /etc/passwd and /etc/group of the root file system at `rootPath`, resolved inside it. Absent files are empty. */
export function readUserFiles(rootPath: string): UserFiles {
  return { passwd: readBounded(rootPath, '/etc/passwd'), group: readBounded(rootPath, '/etc/group') }
}

function readBounded(rootPath: string, path: string): string {
  // Non-blocking: a FIFO in the file's place would wait for a writer for ever.
  const fd = openIfPresent(rootPath, path)
  if (fd === undefined) return ''
  try {
    const status = fstatSync(fd)
    if (!status.isFile()) throw invalid(`${path} of the container is not a regular file`)
    if (status.size > maxBytes) throw invalid(`${path} of the container is larger than ${maxBytes} bytes`)
    const bytes = Buffer.alloc(status.size)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}

function openIfPresent(rootPath: string, path: string): number | undefined {
  try {
    return openInRoot(rootPath, path, { flags: constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP' || code === 'ENXIO') throw invalid(`${path} of the container cannot be opened`, error)
    throw error
  }
}
