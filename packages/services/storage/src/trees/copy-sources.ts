import { splitEntryPath } from '@berth/archive'
import { codeOf, invalid } from '@berth/base'
import type { IgnoreRules } from '@berth/dockerfile'
import {
  AT_EMPTY_PATH,
  fchownat,
  type FileStatus,
  getXattr,
  linkat,
  listXattrs,
  O_PATH,
  openInRoot,
  procFd,
  setXattr,
  utimensat,
} from '@berth/linux'
import { chmodSync, closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { posix } from 'node:path'
import { copyContent, makeNode } from '../layers/copy-tree.ts'
import { isDirectory, kernelName, statusOf } from '../layers/directory.ts'
import { LayerTree, type Place } from '../layers/layer-tree.ts'
import { isExistingDirectory, type MadeAs, makeDirectories, relative } from './make-directory.ts'
import { applyMode, type ModeChange } from './mode-change.ts'
import { type SourceSelection, withSources } from './selection.ts'
import type { SelectedSource } from './select-sources.ts'
import { reopenDirectory, type Visited, walk } from './walk.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFLNK, S_IFMT, S_IFREG } = constants

/** What COPY does with a selection. */
export interface CopySourcesTask extends SourceSelection {
  /** Absolute host path of the root of the tree that is written to. */
  readonly target: string
  /** Absolute in that tree; with a slash at the end it is a directory. */
  readonly destination: string
  /** Of everything that is made; undefined: the sources' where `keepsOwner` says so, else root's. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly mode?: ModeChange
  /** Sources keep the directories that lead to them. */
  readonly keepsParents: boolean
  /** A file takes the place of a directory; else that is refused. */
  readonly replacesDirectories?: boolean
  /**
   * Files below a selected directory that need no other owner or mode get a further name rather than a copy. For sources
   * that nobody changes any more; each is shared once at most.
   */
  readonly sharesFiles?: boolean
}

/**
 * Copies what is selected to a destination, as Docker's COPY: a directory's content, a file by its name into a directory
 * or as the destination itself. Missing parents are made. Throws `invalid` where what it makes cannot be.
 */
export function copySources(task: CopySourcesTask): void {
  using tree = new LayerTree(task.target, 'none')
  withSources(task, ({ sources, excluded }) => {
    const isIntoDirectory = () =>
      task.destination.endsWith('/') || isExistingDirectory(tree, relative(task.destination))
    // What one has made may be the directory that the next goes into.
    for (const source of sources) copySource({ task, tree, excluded, links: new Map() }, source, isIntoDirectory())
  })
}

interface Copying {
  readonly task: CopySourcesTask
  readonly tree: LayerTree
  readonly excluded: IgnoreRules
  /** Paths in the target of this source's files with several names, by their inode. */
  readonly links: Map<bigint, string>
}

const join = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/')

function copySource(copying: Copying, source: SelectedSource, isIntoDirectory: boolean): void {
  const { destination, keepsParents } = copying.task
  const base = relative(destination)
  if (isDirectory(source.status)) {
    copyDirectory(copying, source, keepsParents ? join(base, source.path) : base)
    return
  }
  const { parent } = splitEntryPath(source.path)
  const directory = keepsParents ? join(base, parent) : base
  const path = isIntoDirectory || keepsParents ? join(directory, source.name) : linkedTo(copying.tree, base)
  makeDirectories(copying.tree, splitEntryPath(path).parent, madeAs(copying.task))
  copyOther(copying, { fd: source.fd, path, status: source.status })
}

/** What a path leads to when a link is there: a file that is copied to a link takes the place of what that names. */
function linkedTo(tree: LayerTree, path: string, depth = 0): string {
  const parent = splitEntryPath(path).parent
  if (depth > 40 || !isExistingDirectory(tree, parent)) return path
  const place = tree.place(path)
  const status = statusOf(place.fd, place.name)
  if (!status || (status.mode & S_IFMT) !== S_IFLNK) return path
  const target = readlinkSync(`${procFd(place.fd)}/${place.name}`)
  return linkedTo(tree, relative(posix.resolve('/', parent, target)), depth + 1)
}

/** The content of a directory; the directory that it goes to keeps its own metadata. */
function copyDirectory(copying: Copying, source: SelectedSource, base: string): void {
  makeDirectories(copying.tree, base, madeAs(copying.task))
  const made: { path: string; status: FileStatus }[] = []
  const fd = reopenDirectory(source.fd)
  try {
    walk(fd, (visited) => copyEntry(copying, visited, base, made))
  } finally {
    closeSync(fd)
  }
  for (const { path, status } of made.toReversed()) copying.tree.setTimes(path, status)
}

function copyEntry(
  copying: Copying,
  { path, parent, name, status }: Visited,
  base: string,
  made: { path: string; status: FileStatus }[],
): boolean {
  if (copying.excluded.ignores(path)) return copying.excluded.hasExceptions && isDirectory(status)
  const target = join(base, path)
  const fd = openInRoot(parent, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
  try {
    if (isDirectory(status)) {
      const to = copying.tree.makeDirectory(target)
      setMetadata(copying, { from: fd, to, status })
      made.push({ path: target, status })
    } else {
      copyOther(copying, { fd, path: target, status, origin: { parent, name } })
    }
  } finally {
    closeSync(fd)
  }
  return true
}

interface Entry {
  /** O_PATH. */
  readonly fd: number
  /** In the target. */
  readonly path: string
  readonly status: FileStatus
  /** Where a directory of the source has it. */
  readonly origin?: { readonly parent: number; readonly name: string }
}

function copyOther(copying: Copying, { fd, path, status, origin }: Entry): void {
  const { tree, links } = copying
  const first = status.nlink > 1 ? links.get(status.ino) : undefined
  // Two sources may lead to the same file.
  if (first === path) return
  makeRoom(copying, path)
  // By its directory, which was found within the tree: the path may lead through links of it.
  const from = first === undefined ? undefined : tree.place(first)
  const place = tree.place(path)
  if (from) return linkat(from.fd, kernelName(from.name), place.fd, kernelName(place.name))
  if (origin && isShareable(copying, status) && tryLink(origin, place)) return
  if (status.nlink > 1) links.set(status.ino, path)
  if ((status.mode & S_IFMT) === S_IFREG) copyRegular(copying, fd, { ...place, status })
  else copySpecial(copying, fd, { ...place, status })
  utimensat(place.fd, kernelName(place.name), status)
}

function isShareable({ task }: Copying, { mode, uid, gid, nlink }: FileStatus): boolean {
  if (!task.sharesFiles || (mode & S_IFMT) !== S_IFREG || nlink > 1 || task.mode) return false
  const owner = task.owner ?? (task.keepsOwner ? { uid, gid } : root)
  return owner.uid === uid && owner.gid === gid
}

/** False where the file systems are not the same, or a file has too many names. */
function tryLink(origin: NonNullable<Entry['origin']>, { fd, name }: Place): boolean {
  try {
    linkat(origin.parent, kernelName(origin.name), fd, kernelName(name))
    return true
  } catch (error) {
    const code = codeOf(error)
    if (code === 'EXDEV' || code === 'EMLINK' || code === 'EPERM') return false
    throw error
  }
}

/** Removes what is at a path. The tree may forget its open directories by it: places are asked for afterwards. */
function makeRoom({ tree, task, links }: Copying, path: string): void {
  const place = tree.place(path)
  const existing = statusOf(place.fd, place.name)
  if (!existing) return
  if (isDirectory(existing) && !task.replacesDirectories) {
    throw invalid(`cannot replace to directory /${path} with file`)
  }
  tree.clear(place)
  for (const [inode, first] of links) if (first === path) links.delete(inode)
}

interface Target {
  readonly fd: number
  readonly name: string
  readonly status: FileStatus
}

function copySpecial(copying: Copying, from: number, { fd, name, status }: Target): void {
  makeNode(from, fd, { name, status })
  const to = openInRoot(fd, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
  try {
    setMetadata(copying, { from, to, status })
  } finally {
    closeSync(to)
  }
}

function copyRegular(copying: Copying, source: number, { fd, name, status }: Target): void {
  const from = openSync(procFd(source), O_RDONLY | O_NONBLOCK)
  try {
    const to = copyContent(from, fd, name)
    setMetadata(copying, { from, to, status })
    closeSync(to)
  } finally {
    closeSync(from)
  }
}

interface Metadata {
  readonly from: number
  readonly to: number
  readonly status: FileStatus
}

function setMetadata({ task }: Copying, { from, to, status }: Metadata): void {
  fchownat(to, '', task.owner ?? (task.keepsOwner ? status : root), AT_EMPTY_PATH)
  if ((status.mode & S_IFMT) !== S_IFLNK) {
    const mode = task.mode ? applyMode(task.mode, status.mode, isDirectory(status)) : status.mode & 0o7777
    chmodSync(procFd(to), mode)
  }
  for (const name of listXattrs(from)) setXattr(to, name, getXattr(from, name) ?? Buffer.alloc(0))
}

/** Directories that are missing get the mode that is asked for as mkdir(1) would give it. */
function madeAs({ owner = root, mode }: CopySourcesTask): MadeAs {
  return mode ? { ...owner, mode: applyMode(mode, 0o755, true) & 0o755 } : owner
}

const root = { uid: 0, gid: 0 }
