import {
  checkSymlinkTarget,
  encodeName,
  type FileTime,
  isOverlayXattr,
  parseWhiteout,
  sanitizeEntryPath,
  type TarEntry,
  type TarHandler,
} from '@berth/archive'
import { codeOf, conflict, EngineError, internal, invalid, messageOf } from '@berth/base'
import {
  AT_EMPTY_PATH,
  fchmodat,
  fchownat,
  linkat,
  mknodat,
  O_PATH,
  openInRoot,
  procFd,
  setXattr,
  symlinkat,
  utimensat,
} from '@berth/linux'
import { chmodSync, closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, writeSync } from 'node:fs'
import { identityOf, isDirectory, kernelName, statusOf } from './directory.ts'
import type { LayerTree, Place } from './layer-tree.ts'

const { O_CREAT, O_EXCL, O_WRONLY, S_IFBLK, S_IFCHR, S_IFIFO } = constants

/** What one layer may take of the disk. */
export interface LayerLimits {
  /** Bytes of all files, holes included. */
  readonly maxFileBytes: number
  readonly maxEntries: number
}

export const defaultLayerLimits: LayerLimits = { maxFileBytes: 128 * 2 ** 30, maxEntries: 10_000_000 }

/** How what a user copies into a container differs from a layer: it deletes nothing, and is no longer than it is. */
export interface CopyRules {
  /** The directory as the user names it, for messages. */
  readonly destination: string
  /** Owns all that is copied, whatever the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** A directory is replaced by nothing else, and nothing else by a directory. */
  readonly keepsKinds: boolean
}

/** 2^32-1 means "leave as it is" to chown(2). */
const maxId = 2 ** 32 - 2
// include/linux/kdev_t.h
const maxMajor = 2 ** 12 - 1
const maxMinor = 2 ** 20 - 1

/**
 * Unpacks a layer's members into a tree as a `TarParser` finds them, or with `CopyRules` those of another archive. What is
 * wrong with a member is `invalid` and names it; what the disk refuses is `internal`. After an error a layer's tree is of
 * no use.
 */
export class LayerApplier implements TarHandler, Disposable {
  readonly #tree: LayerTree
  readonly #limits: LayerLimits
  readonly #copy: CopyRules | undefined
  /** Bytes of files and symlink targets, a hard-linked file once; undefined when members replaced others. */
  sizeBytes: number | undefined = 0
  /** A member stood for the root itself. */
  setsRoot = false
  #entries = 0
  #bytes = 0
  #entry: TarEntry | undefined
  #path = ''
  #place: Place = { fd: -1, name: '' }
  /** The file that is being written. */
  #fd = -1
  /** Times of directories, set when nothing is made in them any more. */
  readonly #times = new Map<string, TarEntry>()

  constructor(tree: LayerTree, limits: LayerLimits = defaultLayerLimits, copy?: CopyRules) {
    this.#tree = tree
    this.#limits = limits
    this.#copy = copy
  }

  entry(entry: TarEntry): void {
    this.#guard(entry, () => {
      this.#count(entry)
      const path = sanitizeEntryPath(entry.path)
      if (this.#copy) return this.#copyIn(entry, path, this.#copy)
      const whiteout = parseWhiteout(path)
      if (!whiteout) return this.#make(entry, path)
      if (whiteout.kind === 'delete') this.#tree.hide(whiteout.path)
      if (whiteout.kind === 'opaque') this.#tree.makeOpaque(whiteout.path)
    })
  }

  data(bytes: Buffer, offset: number): void {
    const { entry } = this.#current()
    if (this.#fd < 0) return
    this.#guard(entry, () => {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(this.#fd, bytes, at, bytes.length - at, entry.extents ? offset + at : null)
      }
    })
  }

  end(): void {
    const { entry } = this.#current()
    if (this.#fd < 0) return
    this.#guard(entry, () => this.#finishFile(entry))
  }

  /** Sets what had to wait for the last member. */
  finish(): void {
    for (const [path, entry] of this.#times) this.#guard(entry, () => this.#tree.setTimes(path, timesOf(entry)))
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  #current(): { readonly entry: TarEntry } {
    if (!this.#entry) throw new Error('content without an entry')
    return { entry: this.#entry }
  }

  #guard(entry: TarEntry, work: () => void): void {
    this.#entry = entry
    try {
      work()
    } catch (error) {
      throw described(error, entry, this.#copy ? 'archive' : 'layer')
    }
  }

  #count(entry: TarEntry): void {
    this.#bytes += entry.sizeBytes
    if (++this.#entries > this.#limits.maxEntries) throw invalid(`more than ${this.#limits.maxEntries} entries`)
    if (this.#bytes > this.#limits.maxFileBytes) throw invalid(`the files exceed ${this.#limits.maxFileBytes} bytes`)
    if (entry.uid > maxId || entry.gid > maxId) throw invalid(`owner ${entry.uid}:${entry.gid} is out of range`)
    if (entry.uid < 0 || entry.gid < 0) throw invalid(`owner ${entry.uid}:${entry.gid} is negative`)
  }

  /** The directory that is copied into stays as it is. */
  #copyIn(entry: TarEntry, path: string, { owner, keepsKinds, destination }: CopyRules): void {
    if (path === '' && entry.type === 'directory') return
    if (keepsKinds) this.#requireKind(entry, path, destination)
    const owned = owner ? { ...entry, ...owner } : entry
    this.#entry = owned
    this.#make(owned, path)
  }

  #requireKind(entry: TarEntry, path: string, destination: string): void {
    const { fd, name } = this.#tree.place(path)
    const existing = statusOf(fd, name)
    if (!existing || isDirectory(existing) === (entry.type === 'directory')) return
    const [old, fresh] = isDirectory(existing) ? ['directory', 'non-directory'] : ['non-directory', 'directory']
    throw conflict(`cannot overwrite ${old} ${shown(path)} with ${fresh} ${shown(destination)}`)
  }

  #make(entry: TarEntry, path: string): void {
    if (entry.type === 'directory' || path === '') return this.#makeDirectory(entry, path)
    if (!this.#copy && isWhiteoutDevice(entry)) return this.#tree.hide(path)
    this.#path = path
    this.#place = this.#tree.place(path)
    this.#tree.own(path)
    switch (entry.type) {
      case 'file':
        return this.#beginFile(entry)
      case 'hardlink':
        return this.#makeHardLink(entry)
      case 'symlink':
        return this.#makeSymlink(entry)
      case 'character':
      case 'block':
      case 'fifo':
        return this.#makeNode(entry)
    }
  }

  #makeDirectory(entry: TarEntry, path: string): void {
    if (entry.type !== 'directory') throw invalid(`a ${entry.type} cannot be the root`)
    if (path === '') this.setsRoot = true
    const fd = path === '' ? this.#tree.root : this.#tree.makeDirectory(path)
    fchownSync(fd, entry.uid, entry.gid)
    fchmodSync(fd, entry.mode)
    this.#setXattrs(fd, entry)
    this.#times.set(path, entry)
    this.#tree.own(path)
  }

  #beginFile(entry: TarEntry): void {
    const flags = O_WRONLY | O_CREAT | O_EXCL
    this.#fd = this.#replacing(({ fd, name }) => openInRoot(fd, kernelName(name), { flags, mode: 0o600 }))
    if (entry.sizeBytes === 0) this.#finishFile(entry)
  }

  #finishFile(entry: TarEntry): void {
    const fd = this.#fd
    this.#add(entry.sizeBytes)
    if (entry.extents) ftruncateSync(fd, entry.sizeBytes)
    fchownSync(fd, entry.uid, entry.gid)
    // After the owner: chown takes setuid bits and capabilities away.
    fchmodSync(fd, entry.mode)
    this.#setXattrs(fd, entry)
    utimensat(this.#place.fd, kernelName(this.#place.name), timesOf(entry))
    this.#fd = -1
    closeSync(fd)
  }

  #makeHardLink(entry: TarEntry): void {
    const path = sanitizeEntryPath(entry.linkPath)
    const target = this.#tree.place(path)
    const status = path === '' ? undefined : statusOf(target.fd, target.name)
    if (!status) throw invalid(`hard link to ${shown(entry.linkPath)}, which is not there`)
    this.#place = this.#tree.place(this.#path)
    const existing = statusOf(this.#place.fd, this.#place.name)
    if (!existing || identityOf(existing) !== identityOf(status)) {
      this.#replacing(({ fd, name }) => {
        const from = this.#tree.place(path)
        linkat(from.fd, kernelName(from.name), fd, kernelName(name))
      })
    }
    this.#finishLink(entry)
  }

  /**
   * What the entry says is of the file, whatever the one with its first name said; of a symlink it is the owner alone. An
   * owner that is the same is not set again: chown takes capabilities away, which GNU tar tells of once.
   */
  #finishLink(entry: TarEntry): void {
    const node = this.#openNode()
    try {
      const status = fstatSync(node)
      if (status.uid !== entry.uid || status.gid !== entry.gid) fchownat(node, '', entry, AT_EMPTY_PATH)
      if (status.isSymbolicLink()) return
      chmodSync(procFd(node), entry.mode)
      this.#setXattrs(node, entry)
      utimensat(node, '', timesOf(entry), AT_EMPTY_PATH)
    } finally {
      closeSync(node)
    }
  }

  #makeSymlink(entry: TarEntry): void {
    const target = kernelName(checkSymlinkTarget(entry.linkPath))
    this.#replacing(({ fd, name }) => symlinkat(target, fd, kernelName(name)))
    this.#add(Buffer.byteLength(target))
    this.#finishNode(entry)
  }

  #makeNode(entry: TarEntry): void {
    const device = { major: entry.deviceMajor, minor: entry.deviceMinor }
    if (device.major < 0 || device.minor < 0 || device.major > maxMajor || device.minor > maxMinor) {
      throw invalid(`device ${device.major}:${device.minor} is out of range`)
    }
    const type = entry.type === 'fifo' ? S_IFIFO : entry.type === 'block' ? S_IFBLK : S_IFCHR
    this.#replacing(({ fd, name }) => mknodat(fd, kernelName(name), type | 0o600, device))
    this.#finishNode(entry)
  }

  #finishNode(entry: TarEntry): void {
    const { fd, name } = this.#place
    fchownat(fd, kernelName(name), entry)
    // It was made just now, by us, and is no symlink: nothing to follow.
    if (entry.type !== 'symlink') fchmodat(fd, kernelName(name), entry.mode)
    if (entry.xattrs) this.#setNodeXattrs(entry)
    utimensat(fd, kernelName(name), timesOf(entry))
  }

  #setNodeXattrs(entry: TarEntry): void {
    const node = this.#openNode()
    try {
      this.#setXattrs(node, entry)
    } finally {
      closeSync(node)
    }
  }

  #openNode(): number {
    return openInRoot(this.#place.fd, kernelName(this.#place.name), { flags: O_PATH | constants.O_NOFOLLOW })
  }

  /** Sets all attributes but those that would steer overlayfs itself. A copy does without what its target cannot keep. */
  #setXattrs(fd: number, entry: TarEntry): void {
    if (!entry.xattrs) return
    for (const [name, value] of entry.xattrs) {
      if (isOverlayXattr(name)) continue
      try {
        setXattr(fd, name, value)
      } catch (error) {
        const isRefused = codeOf(error) === 'ENOTSUP' || codeOf(error) === 'EPERM'
        if (!this.#copy || !isRefused) throw error
      }
    }
  }

  /**
   * Runs `make`; when something is in its place already, removes that first: the last of two members counts. The removal
   * may close descriptors of before: `make` goes by the place that it is given.
   */
  #replacing<T>(make: (place: Place) => T): T {
    try {
      return make(this.#place)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    this.sizeBytes = undefined
    this.#tree.clear(this.#place)
    this.#dropTimes()
    this.#place = this.#tree.place(this.#path)
    return make(this.#place)
  }

  #add(bytes: number): void {
    if (this.sizeBytes !== undefined) this.sizeBytes += bytes
  }

  #dropTimes(): void {
    for (const path of this.#times.keys()) {
      if (path === this.#path || path.startsWith(`${this.#path}/`)) this.#times.delete(path)
    }
  }
}

function isWhiteoutDevice(entry: TarEntry): boolean {
  return entry.type === 'character' && entry.deviceMajor === 0 && entry.deviceMinor === 0
}

const toNs = ({ seconds, nanoseconds }: FileTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)

function timesOf(entry: TarEntry): { readonly atimeNs: bigint; readonly mtimeNs: bigint } {
  const mtimeNs = toNs(entry.mtime)
  return { atimeNs: entry.atime ? toNs(entry.atime) : mtimeNs, mtimeNs }
}

/** Codes that the archive's names and links cause, rather than the disk. */
const blamesArchive = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EEXIST',
  'ENAMETOOLONG',
  'EXDEV',
  'EPERM',
  'EINVAL',
  'EFBIG',
])

function described(error: unknown, entry: TarEntry, what: 'archive' | 'layer'): unknown {
  if (error instanceof EngineError && error.kind !== 'invalid') return error
  // The parser says which entry of an archive it was.
  if (error instanceof EngineError && what === 'archive') return error
  const message = `${what} entry ${shown(entry.path)}: ${messageOf(error)}`
  // openat2(2) gives up on a path whose directories are renamed all the time.
  if (codeOf(error) === 'EAGAIN') return conflict(message, error)
  if (error instanceof EngineError || blamesArchive.has(codeOf(error) ?? '')) return invalid(message, error)
  return codeOf(error) === undefined ? error : internal(message, error)
}

const shown = (name: string): string => JSON.stringify(encodeName(name.slice(0, 300)).toString())
