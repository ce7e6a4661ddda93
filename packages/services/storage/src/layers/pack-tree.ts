import {
  decodeName,
  type EntryType,
  isOverlayXattr,
  opaqueMarkerPath,
  type TarEntry,
  tarEntry,
  TarPacker,
  whiteoutPath,
} from '@berth/archive'
import { type FileStatus, getXattr, listXattrs, O_PATH, openInRoot, readlinkat } from '@berth/linux'
import { closeSync, constants, fstatSync, readSync } from 'node:fs'
import type { TreeForm } from './changes.ts'
import { identityOf, ifThere, isDirectory, kernelName, namesIn, openDirectory, statusOf } from './directory.ts'
import { isOpaque, isWhiteout, LowerStack } from './lower-stack.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFMT } = constants

/** How `packTree()` reads a tree: a whole one, or only what it changes of the layers beneath. */
export type PackForm = 'whole' | TreeForm

/**
 * The tree in `fd` as an uncompressed tar, sorted, in chunks that own their memory. As a layer, deletions are whiteouts.
 * Every file is opened by descriptor and never through a symlink, for a container may be writing there. Sockets are left
 * out. Hard links are kept; times are whole seconds.
 */
export function* packTree(fd: number, form: PackForm, lower: LowerStack = LowerStack.empty): Generator<Buffer> {
  const state = { packer: new TarPacker(), form, links: new Map<string, string>() }
  yield* packDirectory(state, { fd, path: '', lower, announce: () => {} })
  state.packer.finish()
  yield* state.packer.take()
}

/**
 * One file or directory of a tree as an uncompressed tar: `name` in the directory `parent`, whose entries begin with
 * `prefix`.
 */
export function* packName(parent: number, name: string, prefix: string): Generator<Buffer> {
  const state = { packer: new TarPacker(), form: 'whole' as const, links: new Map<string, string>() }
  const status = statusOf(parent, name)
  const item = status && { name, path: prefix, status }
  const directory = { fd: parent, path: '', lower: LowerStack.empty, announce: () => {} }
  if (item && isDirectory(item.status)) yield* packSubdirectory(state, directory, item)
  else if (item) yield* packFile(state, parent, item)
  state.packer.finish()
  yield* state.packer.take()
}

interface PackState {
  readonly packer: TarPacker
  readonly form: PackForm
  /** The first path of each file that has several. */
  readonly links: Map<string, string>
}

interface PackDirectory {
  readonly fd: number
  readonly path: string
  readonly lower: LowerStack
  /** Writes the directories above, once, when it turns out that something below is to be written. */
  readonly announce: () => void
}

function* packDirectory(state: PackState, directory: PackDirectory): Generator<Buffer> {
  const names = namesIn(directory.fd)
  for (const name of names) yield* packEntry(state, directory, name)
  if (state.form === 'copy') packDeletions(state, directory, new Set(names))
}

/** What a copy of the parent no longer has. */
function packDeletions(state: PackState, directory: PackDirectory, kept: ReadonlySet<string>): void {
  for (const name of directory.lower.names()) {
    if (kept.has(name)) continue
    directory.announce()
    state.packer.header(tarEntry({ path: whiteoutPath(join(directory.path, name)), mode: 0o600 }))
  }
}

function* packEntry(state: PackState, directory: PackDirectory, name: string): Generator<Buffer> {
  const status = statusOf(directory.fd, name)
  if (!status) return
  const path = join(directory.path, name)
  if (state.form === 'overlay' && isWhiteout(status)) {
    state.packer.header(tarEntry({ path: whiteoutPath(path), mode: 0o600 }))
  } else if (isDirectory(status)) {
    yield* packSubdirectory(state, directory, { name, path, status })
  } else if (!isUnchanged(state, directory, name, status)) {
    directory.announce()
    yield* packFile(state, directory.fd, { name, path, status })
  }
  if (state.packer.hasChunk) yield* state.packer.take()
}

interface Item {
  readonly name: string
  readonly path: string
  readonly status: FileStatus
}

function* packSubdirectory(state: PackState, parent: PackDirectory, { name, path, status }: Item): Generator<Buffer> {
  const fd = ifThere(() => openDirectory(parent.fd, name))
  if (fd === undefined) return
  try {
    using lower = parent.lower.descend(name)
    const announce = once(() => {
      parent.announce()
      const entry = { path: join(path, ''), type: 'directory' as const, ...metadataOf(status), xattrs: xattrsOf(fd) }
      state.packer.header(tarEntry(entry))
    })
    if (state.form !== 'copy' || !isSameMetadata(status, parent.lower.find(name)?.status)) announce()
    if (state.form === 'overlay' && isOpaque(fd)) {
      state.packer.header(tarEntry({ path: opaqueMarkerPath(path), mode: 0o600 }))
    }
    yield* packDirectory(state, { fd, path, lower, announce })
  } finally {
    closeSync(fd)
  }
}

const once = (work: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

function* packFile(state: PackState, parent: number, item: Item): Generator<Buffer> {
  const type = typeOf(item.status)
  if (!type) return
  const key = item.status.nlink > 1 ? identityOf(item.status) : ''
  const first = state.links.get(key)
  const common = { path: item.path, ...metadataOf(item.status) }
  if (first !== undefined) {
    state.packer.header(tarEntry({ ...common, type: 'hardlink', linkPath: first }))
    return
  }
  const fd = ifThere(() => openFile(parent, item, type))
  if (fd === undefined) return
  try {
    if (key !== '') state.links.set(key, item.path)
    state.packer.header(tarEntry({ ...common, type, ...fieldsOf(fd, type, item), xattrs: xattrsOf(fd) }))
    if (type === 'file') yield* packContent(state.packer, fd)
  } finally {
    closeSync(fd)
  }
}

/** One number for all names of a file, also where other file systems are mounted in the tree. */
/** Undefined when it is something else by now: a device is not opened, for the tree's mount knows none. */
function openFile(parent: number, { name }: Item, type: EntryType): number | undefined {
  const flags = type === 'file' ? O_RDONLY | O_NONBLOCK : O_PATH
  const fd = openInRoot(parent, kernelName(name), { flags: flags | O_NOFOLLOW })
  if (typesByMode[fstatSync(fd).mode & S_IFMT] === type) return fd
  closeSync(fd)
  return undefined
}

function fieldsOf(fd: number, type: EntryType, { status }: Item): Partial<TarEntry> {
  if (type === 'symlink') return { linkPath: decodeName(readlinkat(fd, '')) }
  if (type === 'file') return { sizeBytes: status.sizeBytes }
  return { deviceMajor: status.rdev.major, deviceMinor: status.rdev.minor }
}

/** A file that shrinks while it is read is made up with zeros to the size that was announced, as GNU tar does. */
function* packContent(packer: TarPacker, fd: number): Generator<Buffer> {
  while (packer.contentLeft > 0) {
    const count = packer.fill((target) => readSync(fd, target))
    if (packer.hasChunk) yield* packer.take()
    if (count > 0) continue
    packer.zeros(Math.min(packer.contentLeft, 1 << 20))
  }
}

function isUnchanged(state: PackState, { lower }: PackDirectory, name: string, status: FileStatus): boolean {
  if (state.form !== 'copy') return false
  const below = lower.find(name)?.status
  if (!below || below.sizeBytes !== status.sizeBytes || below.mtimeNs !== status.mtimeNs) return false
  return isSameMetadata(status, below)
}

function isSameMetadata(a: FileStatus, b: FileStatus | undefined): boolean {
  if (!b || a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return false
  return a.rdev.major === b.rdev.major && a.rdev.minor === b.rdev.minor
}

function metadataOf({ mode, uid, gid, mtimeNs }: FileStatus): Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime'> {
  const nanoseconds = Number(((mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  const seconds = Number((mtimeNs - BigInt(nanoseconds)) / 1_000_000_000n)
  return { mode: mode & 0o7777, uid, gid, mtime: { seconds, nanoseconds } }
}

/** Attributes that belong to the file: not overlayfs's own, and no label of this host's security module. */
function xattrsOf(fd: number): ReadonlyMap<string, Buffer> | undefined {
  let xattrs: Map<string, Buffer> | undefined
  for (const name of listXattrs(fd)) {
    if (isOverlayXattr(name) || hostLabels.has(name)) continue
    const value = getXattr(fd, name)
    if (value) (xattrs ??= new Map()).set(name, value)
  }
  return xattrs
}

const hostLabels = new Set([
  'security.selinux',
  'security.ima',
  'security.evm',
  'security.apparmor',
  'security.SMACK64',
])

const typesByMode: Record<number, EntryType> = {
  [constants.S_IFREG]: 'file',
  [constants.S_IFLNK]: 'symlink',
  [constants.S_IFCHR]: 'character',
  [constants.S_IFBLK]: 'block',
  [constants.S_IFIFO]: 'fifo',
}

const typeOf = ({ mode }: FileStatus): EntryType | undefined => typesByMode[mode & S_IFMT]

const join = (parent: string, name: string): string =>
  parent === '' ? name : parent.endsWith('/') ? `${parent}${name}` : `${parent}/${name}`
