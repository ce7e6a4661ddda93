import { type FileStatus, procFd } from '@berth/linux'
import { closeSync, constants, openSync } from 'node:fs'
import { isDirectory, namesIn, openDirectory, statusOf } from '../layers/directory.ts'

/** One entry of a tree: in the open directory `parent`, which is open during the visit only. */
export interface Visited {
  /** Below the tree's root, without a leading slash. */
  readonly path: string
  readonly parent: number
  readonly name: string
  readonly status: FileStatus
}

/** Opens the directory behind an O_PATH descriptor for reading; the new descriptor is the caller's. */
export const reopenDirectory = (fd: number): number => openSync(procFd(fd), constants.O_RDONLY | constants.O_DIRECTORY)

/** Visits all below the open directory `fd`, parents first, names sorted; `visit` says whether to go into a directory. */
export function walk(fd: number, visit: (visited: Visited) => boolean, base = ''): void {
  for (const name of namesIn(fd)) {
    const status = statusOf(fd, name)
    if (!status) continue
    const path = base === '' ? name : `${base}/${name}`
    if (!visit({ path, parent: fd, name, status }) || !isDirectory(status)) continue
    const child = openDirectory(fd, name)
    try {
      walk(child, visit, path)
    } finally {
      closeSync(child)
    }
  }
}
