import { splitEntryPath } from '@berth/archive'
import {
  AT_EMPTY_PATH,
  fchownat,
  type FileStatus,
  fstatat,
  linkat,
  mkdirat,
  mknodat,
  O_PATH,
  openInRoot,
  procFd,
  readlinkat,
  symlinkat,
  utimensat,
  listXattrs,
  getXattr,
  setXattr,
} from '@berth/linux'
import { closeSync, constants, copyFileSync, fchmodSync, openSync } from 'node:fs'
import { isDirectory, kernelName, namesIn, openDirectory, statusOf } from './directory.ts'

const {
  COPYFILE_FICLONE,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} = constants

/**
 * Copies what is in the directory `from` into the existing directory `to`, with owners, modes, xattrs, times, hard links
 * and the directory's own metadata; shares the blocks where the file system can (reflink).
 */
export function copyTree(from: string, to: string): void {
  const [source, target] = [openRoot(from), openRoot(to)]
  try {
    copyOpenTree(source, target)
  } finally {
    closeSync(source)
    closeSync(target)
  }
}

/** `copyTree()` of one open directory into another. */
export function copyOpenTree(source: number, target: number): void {
  copyDirectory(source, target, { root: target, links: new Map(), path: '' })
}

const openRoot = (path: string): number => openSync(path, O_RDONLY | O_DIRECTORY)

interface Copying {
  readonly root: number
  /** Path in the copy of each file with several names. */
  readonly links: Map<bigint, string>
  readonly path: string
}

function copyDirectory(source: number, target: number, copying: Copying): void {
  for (const name of namesIn(source)) {
    const status = statusOf(source, name)
    if (status) copyName(source, target, { name, status, copying })
  }
  copyMetadata(source, target, fstatat(source, '', AT_EMPTY_PATH))
  utimensat(target, '.', fstatat(source, '', AT_EMPTY_PATH), 0)
}

interface Item {
  readonly name: string
  readonly status: FileStatus
  readonly copying: Copying
}

function copyName(source: number, target: number, { name, status, copying }: Item): void {
  const path = copying.path === '' ? name : `${copying.path}/${name}`
  if (isDirectory(status)) return copySubdirectory(source, target, { name, status, copying: { ...copying, path } })
  const first = status.nlink > 1 ? copying.links.get(status.ino) : undefined
  if (first !== undefined) return linkWithin(copying.root, first, { fd: target, name })
  if (status.nlink > 1) copying.links.set(status.ino, path)
  const type = status.mode & S_IFMT
  if (type === S_IFREG) copyFile(source, target, { name, status, copying })
  else copyNode(source, target, { name, status, copying })
  utimensat(target, kernelName(name), status)
}

/** Another name for the file at `path` below `root`, whatever others make of the directories on the way meanwhile. */
function linkWithin(root: number, path: string, to: { readonly fd: number; readonly name: string }): void {
  const { parent, name } = splitEntryPath(path)
  const directory = openInRoot(root, kernelName(parent || '.'), { flags: O_PATH | O_DIRECTORY })
  try {
    linkat(directory, kernelName(name), to.fd, kernelName(to.name))
  } finally {
    closeSync(directory)
  }
}

function copySubdirectory(source: number, target: number, { name, copying }: Item): void {
  mkdirat(target, kernelName(name), 0o700)
  const from = openDirectory(source, name)
  const to = openDirectory(target, name)
  try {
    copyDirectory(from, to, copying)
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

function copyFile(source: number, target: number, { name, status }: Item): void {
  const from = openInRoot(source, kernelName(name), { flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK })
  try {
    const to = copyContent(from, target, name)
    copyMetadata(from, to, status)
    closeSync(to)
  } finally {
    closeSync(from)
  }
}

/** Makes the file `name` in `target`, where it must not be yet, with what `from` has; the descriptor is the caller's. */
export function copyContent(from: number, target: number, name: string): number {
  const to = openInRoot(target, kernelName(name), { flags: O_WRONLY | O_CREAT | O_EXCL, mode: 0o600 })
  try {
    copyFileSync(procFd(from), procFd(to), COPYFILE_FICLONE)
    return to
  } catch (error) {
    closeSync(to)
    throw error
  }
}

function copyNode(source: number, target: number, { name, status }: Item): void {
  const from = openInRoot(source, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
  try {
    makeNode(from, target, { name, status })
    const to = openInRoot(target, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
    try {
      fchownat(to, '', status, AT_EMPTY_PATH)
      for (const xattr of listXattrs(from)) setXattr(to, xattr, getXattr(from, xattr) ?? Buffer.alloc(0))
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
}

/** Makes a symlink, device, FIFO or socket as `from` (O_PATH) is one; it must not be in `target` yet. */
export function makeNode(from: number, target: number, { name, status }: Pick<Item, 'name' | 'status'>): void {
  const isLink = (status.mode & S_IFMT) === S_IFLNK
  if (isLink) symlinkat(readlinkat(from, ''), target, kernelName(name))
  else mknodat(target, kernelName(name), status.mode, status.rdev)
}

/** Gives the open file `to` the owner, mode and xattrs of `from`. */
export function copyMetadata(from: number, to: number, status: FileStatus): void {
  fchownat(to, '', status, AT_EMPTY_PATH)
  fchmodSync(to, status.mode & 0o7777)
  for (const name of listXattrs(from)) setXattr(to, name, getXattr(from, name) ?? Buffer.alloc(0))
}
