import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf, invalid } from '@berth/base'
import { openInRoot, procFd } from '@berth/linux'
import type { UserFiles } from '../spec/users.ts'

// Larger than any directory that is really shipped in an image; a hostile one shall not fill the engine's memory.
const maxBytes = 4 * 1024 * 1024

/** /etc/passwd and /etc/group of the root file system at `rootPath`, resolved inside it. Absent files are empty. */
export function readUserFiles(rootPath: string): UserFiles {
  return { passwd: readBounded(rootPath, '/etc/passwd'), group: readBounded(rootPath, '/etc/group') }
}

function readBounded(rootPath: string, path: string): string {
  const place = openIfPresent(rootPath, path)
  if (place === undefined) return ''
  try {
    const status = fstatSync(place)
    if (!status.isFile()) throw invalid(`${path} of the container is not a regular file`)
    if (status.size > maxBytes) throw invalid(`${path} of the container is larger than ${maxBytes} bytes`)
    return readWhole(place, status.size)
  } finally {
    closeSync(place)
  }
}

/** Only found (O_PATH), not opened: to open a device may do something, a FIFO may wait for a writer for ever. */
function openIfPresent(rootPath: string, path: string): number | undefined {
  try {
    return openInRoot(rootPath, path)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'ELOOP') throw invalid(`${path} of the container cannot be opened`, error)
    throw error
  }
}

function readWhole(place: number, sizeBytes: number): string {
  const fd = openSync(procFd(place), constants.O_RDONLY)
  try {
    const bytes = Buffer.alloc(sizeBytes)
    return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, 0))
  } finally {
    closeSync(fd)
  }
}
