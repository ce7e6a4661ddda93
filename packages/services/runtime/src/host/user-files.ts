import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { codeOf, invalid } from '@berth/base'
import { O_PATH, openInRootIfThere, procFd } from '@berth/linux'
import type { UserFiles } from '../spec/users.ts'

// Larger than any directory that is really shipped in an image; a hostile one shall not fill the engine's memory.
const maxBytes = 4 * 1024 * 1024

/** /etc/passwd and /etc/group of the root file system at `rootPath`, resolved inside it. What is absent is empty. */
export function readUserFiles(rootPath: string): UserFiles {
  const root = openRootIfThere(rootPath)
  if (root === undefined) return { passwd: '', group: '' }
  try {
    return { passwd: readBounded(root, '/etc/passwd'), group: readBounded(root, '/etc/group') }
  } finally {
    closeSync(root)
  }
}

/** That of a process that has just ended is not. */
function openRootIfThere(rootPath: string): number | undefined {
  try {
    return openSync(rootPath, O_PATH | constants.O_DIRECTORY)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function readBounded(root: number, path: string): string {
  const place = openIfPresent(root, path)
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
function openIfPresent(root: number, path: string): number | undefined {
  try {
    return openInRootIfThere(root, path)
  } catch (error) {
    if (codeOf(error) === 'ELOOP') throw invalid(`${path} of the container cannot be opened`, error)
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
