import { fchownat, openInRoot, renameat2, utimensat, AT_EMPTY_PATH } from '@berth/linux'
import { randomBytes } from 'node:crypto'
import { closeSync, constants, fchmodSync, openSync } from 'node:fs'
import { copyContent } from '../layers/copy-tree.ts'
import { kernelName } from '../layers/directory.ts'
import { type Visited, walk } from './walk.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFMT, S_IFREG } = constants

export interface UnshareTask {
  readonly root: string
  readonly maxFiles: number
}

/**
 * Copies files of a tree that have names elsewhere too, so that those are seen to have one name again; true when none is
 * left. The tree is nobody's but the caller's, and its files have no extended attributes.
 */
export function unshareFiles({ root, maxFiles }: UnshareTask): boolean {
  let left = maxFiles
  const fd = openSync(root, O_RDONLY | O_DIRECTORY)
  try {
    walk(fd, (visited) => {
      const { mode, nlink } = visited.status
      if (left < 0 || (mode & S_IFMT) !== S_IFREG || nlink < 2) return left >= 0
      if (--left >= 0) unshareFile(visited)
      return left >= 0
    })
  } finally {
    closeSync(fd)
  }
  return left >= 0
}

function unshareFile({ parent, name, status }: Visited): void {
  const from = openInRoot(parent, kernelName(name), { flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK })
  try {
    const copy = `.unshared-${randomBytes(12).toString('hex')}`
    const to = copyContent(from, parent, copy)
    try {
      fchownat(to, '', status, AT_EMPTY_PATH)
      fchmodSync(to, status.mode & 0o7777)
      utimensat(to, '', status, AT_EMPTY_PATH)
    } finally {
      closeSync(to)
    }
    renameat2(parent, copy, parent, kernelName(name), 0)
  } finally {
    closeSync(from)
  }
}
