import { splitEntryPath } from '@berth/archive'
import { codeOf, invalid } from '@berth/base'
import { AT_EMPTY_PATH, fchownat, O_PATH, openInRoot, procFd } from '@berth/linux'
import { isUtf8 } from 'node:buffer'
import { chmodSync, closeSync, constants, fchmodSync, fstatSync, readdirSync, readlinkSync } from 'node:fs'
import { ifThere, kernelName } from '../layers/directory.ts'
import { LayerTree } from '../layers/layer-tree.ts'
import type { MakeDirectoryTask } from './trees.ts'

/** `path` without slashes at its ends. */
export const relative = (path: string): string => path.replace(/^\/+|(?<!\/)\/+$/g, '')

/** Whether `path` leads to a directory, through links too, with the tree's root as its root. */
export function isExistingDirectory(tree: LayerTree, path: string): boolean {
  if (path === '') return true
  const flags = constants.O_RDONLY | constants.O_DIRECTORY
  const fd = ifThere(() => openInRoot(tree.root, kernelName(path), { flags }))
  if (fd !== undefined) closeSync(fd)
  return fd !== undefined
}

export interface MadeAs {
  readonly uid: number
  readonly gid: number
  /** Undefined: 0755. */
  readonly mode?: number
}

/** Makes what is missing of a directory's path; false when it was there. */
export function makeDirectories(tree: LayerTree, path: string, owner: MadeAs): boolean {
  if (isExistingDirectory(tree, path)) return false
  makeDirectories(tree, splitEntryPath(path).parent, owner)
  if (isOther(tree, path)) throw invalid(`/${path} is not a directory`)
  try {
    const fd = tree.directory(path)
    fchownat(fd, '', owner, AT_EMPTY_PATH)
    if (owner.mode !== undefined) chmodSync(procFd(fd), owner.mode)
    return true
  } catch (error) {
    if (codeOf(error) !== 'ENOTDIR' && codeOf(error) !== 'EEXIST') throw error
    throw invalid(`/${path} is not a directory`, error)
  }
}

/** Whether something is there that is neither a directory nor leads to one. */
function isOther(tree: LayerTree, path: string): boolean {
  const fd = ifThere(() => openInRoot(tree.root, kernelName(path), { flags: O_PATH }))
  if (fd !== undefined) closeSync(fd)
  return fd !== undefined
}

export function makeDirectory({ root, path, owner }: MakeDirectoryTask): boolean {
  using tree = new LayerTree(root, 'none')
  return makeDirectories(tree, relative(path), owner)
}

/**
 * Makes a directory, and returns where in `root` it is, links resolved, when nothing is in it; undefined otherwise. Of an
 * overlay it is in the upper directory then, too.
 */
export function makeEmptyDirectory({ root, path, owner }: MakeDirectoryTask): string | undefined {
  using tree = new LayerTree(root, 'none')
  makeDirectories(tree, relative(path), owner)
  const fd = tree.directory(relative(path))
  if (readdirSync(procFd(fd)).length > 0) return undefined
  // A change of metadata copies it up.
  fchmodSync(fd, fstatSync(fd).mode & 0o7777)
  const [top, place] = [readlinkSync(procFd(tree.root), 'buffer'), readlinkSync(procFd(fd), 'buffer')]
  const isInside = place.length > top.length && place.subarray(0, top.length).equals(top) && isUtf8(place)
  return isInside ? place.subarray(top.length).toString() : undefined
}
