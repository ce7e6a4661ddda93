import { codeOf, invalid } from '@berth/base'
import { AT_EMPTY_PATH, fstatat, openInRoot, RENAME_NOREPLACE, renameat2, utimensat } from '@berth/linux'
import { closeSync, constants, openSync } from 'node:fs'
import { copyMetadata, copyOpenTree } from './copy-tree.ts'
import { kernelName, namesIn } from './directory.ts'

const { O_DIRECTORY, O_RDONLY } = constants

export interface CopyTask {
  /** The tree's root on the host. */
  readonly root: string
  /** In the tree: the kernel follows links with `root` as the root directory. */
  readonly path: string
  /** An existing directory; undefined to copy nothing, only to look. */
  readonly target: string | undefined
}

/** Copies the directory at `path` with all its metadata; false when nothing is there. Throws `invalid` for what is no directory. */
export function copyFromRoot({ root, path, target }: CopyTask): boolean {
  const from = openInside(root, path)
  if (from === undefined) return false
  try {
    if (target !== undefined) copyInto(from, target)
    return true
  } finally {
    closeSync(from)
  }
}

function copyInto(from: number, target: string): void {
  const to = openSync(target, O_RDONLY | O_DIRECTORY)
  try {
    copyOpenTree(from, to)
  } finally {
    closeSync(to)
  }
}

function openInside(root: string, path: string): number | undefined {
  try {
    return openInRoot(root, path, { flags: O_RDONLY | O_DIRECTORY })
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return undefined
    if (code === 'ENOTDIR') throw invalid(`cannot mount volume over existing file, file exists ${path}`, error)
    if (code === 'ELOOP') throw invalid(`cannot mount volume at ${path}: too many levels of symbolic links`, error)
    throw error
  }
}

/** Moves all entries of one open directory into another of the same file system, then the directory's own metadata. */
export function moveEntries(source: number, target: number): void {
  for (const name of namesIn(source)) {
    try {
      renameat2(source, kernelName(name), target, kernelName(name), RENAME_NOREPLACE)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
  copyMetadata(source, target, fstatat(source, '', AT_EMPTY_PATH))
  utimensat(target, '.', fstatat(source, '', AT_EMPTY_PATH), 0)
}
