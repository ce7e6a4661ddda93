import { decodeName, encodeName } from '@berth/archive'
import { codeOf, conflict } from '@berth/base'
import {
  AT_REMOVEDIR,
  type FileName,
  type FileStatus,
  fstatatIfThere,
  openInRoot,
  procFd,
  RENAME_NOREPLACE,
  renameat2,
  unlinkat,
} from '@berth/linux'
import { closeSync, constants, readdirSync } from 'node:fs'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY, S_IFDIR, S_IFMT } = constants

/** A name as system calls take it: names that are no UTF-8 go as bytes. */
export const kernelName = (name: string): FileName => (name.isWellFormed() ? name : encodeName(name))

export const isDirectory = (status: FileStatus): boolean => (status.mode & S_IFMT) === S_IFDIR

/** The same for two names of one file, and no others: a number alone is of one file system. */
export const identityOf = ({ dev, ino }: FileStatus): string => `${dev.major}:${dev.minor}:${ino}`

/** Opens the directory `name` in `parent`, never through a symlink. The descriptor is the caller's. */
export function openDirectory(parent: number, name: string): number {
  return openInRoot(parent, kernelName(name), { flags: O_RDONLY | O_DIRECTORY | O_NOFOLLOW })
}

/** The names in an open directory, sorted. One that has been removed meanwhile has none. */
export function namesIn(fd: number): string[] {
  const names = ifThere(() => readdirSync(procFd(fd), { encoding: 'buffer' })) ?? []
  return names.map((name) => decodeName(name)).toSorted()
}

/** What `open` returns; undefined when the file is gone, or something else by now: a running container goes on meanwhile. */
export function ifThere<T>(open: () => T): T | undefined {
  try {
    return open()
  } catch (error) {
    const code = codeOf(error)
    if (code !== undefined && meansElse.has(code)) return undefined
    throw error
  }
}

// EACCES: a device, on a mount that knows none. EXDEV: a mount whose place was removed while it was opened.
const meansElse = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES', 'EXDEV'])

/** Status of `name` in `parent` itself, or undefined when there is none. */
export function statusOf(parent: number, name: string): FileStatus | undefined {
  return fstatatIfThere(parent, kernelName(name))
}

/** How deep `removeTree()` goes with a descriptor held for each level. */
const maxHeldLevels = 64

/**
 * Removes `name` in `parent` and all below it, never through a symlink; nothing when it is absent. Trees of any depth:
 * what lies too deep is first moved up. With `keepsMounts` a mount point is `conflict`: removed from outside of its
 * namespace it would vanish for those in it.
 */
export function removeTree(parent: number, name: string, options: { readonly keepsMounts?: boolean } = {}): void {
  const deep: string[] = []
  const removal = { top: parent, level: 0, deep, keepsMounts: options.keepsMounts ?? false }
  removeBelow(parent, name, removal)
  for (let next = deep.pop(); next !== undefined; next = deep.pop()) removeBelow(parent, next, removal)
}

/** Refuses what is mounted in the tree that is being changed. */
export function requireNoMount(status: FileStatus | undefined, name: string): void {
  if (status?.isMountRoot) throw conflict(`${JSON.stringify(name)} is a mount point: device or resource busy`)
}

interface Removal {
  readonly top: number
  readonly level: number
  /** Names in `top` of what was moved there. */
  readonly deep: string[]
  readonly keepsMounts: boolean
}

function removeBelow(parent: number, name: string, removal: Removal): void {
  if (removal.keepsMounts) requireNoMount(statusOf(parent, name), name)
  if (removeFile(parent, name)) return
  if (removal.level === maxHeldLevels) {
    const moved = `.moved-${process.pid}-${movedCount++}`
    renameat2(parent, kernelName(name), removal.top, moved, RENAME_NOREPLACE)
    removal.deep.push(moved)
    return
  }
  const fd = openDirectory(parent, name)
  try {
    const level = removal.level + 1
    for (const child of namesIn(fd)) removeBelow(fd, child, { ...removal, level })
  } finally {
    closeSync(fd)
  }
  unlinkat(parent, kernelName(name), AT_REMOVEDIR)
}

let movedCount = 0

/** False when `name` is a directory. */
function removeFile(parent: number, name: string): boolean {
  try {
    unlinkat(parent, kernelName(name))
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return true
    if (code === 'EISDIR' || code === 'EPERM') return false
    throw error
  }
}
