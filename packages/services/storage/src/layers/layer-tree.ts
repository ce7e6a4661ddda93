import { opaqueXattr, splitEntryPath } from '@berth/archive'
import { codeOf, invalid } from '@berth/base'
import { duplicate, mkdirat, mknodat, openInRoot, setXattr, unlinkat, utimensat } from '@berth/linux'
import { closeSync, constants, fchmodSync, openSync } from 'node:fs'
import { isDirectory, kernelName, namesIn, openDirectory, removeTree, requireNoMount, statusOf } from './directory.ts'

const { O_DIRECTORY, O_RDONLY, S_IFCHR, S_IFMT } = constants
const maxOpenDirectories = 64

/** A directory that is open, and a name in it. The descriptor is the tree's: valid until some further directories are asked for. */
export interface Place {
  readonly fd: number
  readonly name: string
}

/** How a tree says "not here, whatever lies beneath": as overlayfs does, by removing, or not at all (nothing lies beneath). */
export type WhiteoutForm = 'overlay' | 'remove' | 'none'

/**
 * The directory that a layer is unpacked in. Paths are sanitised ones; each is resolved by the kernel with this directory
 * as its root (openat2(2), RESOLVE_IN_ROOT), so that no symlink in the layer leads out. Parents are opened once and kept,
 * for the members of an archive come directory by directory.
 */
export class LayerTree implements Disposable {
  readonly root: number
  readonly whiteouts: WhiteoutForm
  /** What this layer made, and the directories above it; kept only where whiteouts remove. */
  readonly #own = new Set<string>()
  /** Open directories, the least recently used first. */
  readonly #open = new Map<string, number>()
  #last: { readonly path: string; readonly fd: number } | undefined

  /** A descriptor of a directory becomes the tree's own. */
  constructor(directory: string | number, whiteouts: WhiteoutForm) {
    this.root = typeof directory === 'number' ? directory : openSync(directory, O_RDONLY | O_DIRECTORY)
    this.whiteouts = whiteouts
  }

  /** The place of `path`, whose parent directories are made (0755, root) where they are missing. */
  place(path: string): Place {
    const { parent, name } = splitEntryPath(path)
    return { fd: this.directory(parent), name }
  }

  /** The directory `path`, opened; made where it is missing. */
  directory(path: string): number {
    if (path === '') return this.root
    if (this.#last?.path === path) return this.#last.fd
    const fd = this.#open.get(path) ?? this.#openOrMake(path)
    this.#open.delete(path)
    this.#open.set(path, fd)
    this.#last = { path, fd }
    this.#evict()
    return fd
  }

  /** Keeps a directory that was just made or opened. */
  adopt(path: string, fd: number): void {
    const known = this.#open.get(path)
    if (known !== undefined) closeSync(known)
    this.#open.set(path, fd)
    this.#last = undefined
    this.#evict()
  }

  /** Removes what is at `place`, a whole tree too. Paths that led through it are forgotten. */
  clear({ fd, name }: Place): void {
    const status = statusOf(fd, name)
    if (!status) return
    requireNoMount(status, name)
    const isFile = (status.mode & S_IFMT) === constants.S_IFREG
    if (isDirectory(status)) removeTree(fd, name, { keepsMounts: this.whiteouts === 'none' })
    else unlinkat(fd, kernelName(name))
    if (!isFile) this.forget()
  }

  /** Hides `path` of the layers beneath. What this layer itself has there stays, a directory then hides what is beneath it. */
  hide(path: string): void {
    if (this.whiteouts === 'none') return
    const place = this.place(path)
    if (this.whiteouts === 'remove') return this.#purge(place, path)
    try {
      mknodat(place.fd, kernelName(place.name), S_IFCHR)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
      const status = statusOf(place.fd, place.name)
      if (status && isDirectory(status)) this.makeOpaque(path)
    }
  }

  /** Hides all that the layers beneath have in the directory `path`. */
  makeOpaque(path: string): void {
    if (this.whiteouts === 'overlay') setXattr(this.directory(path), opaqueXattr, Buffer.from('y'))
    if (this.whiteouts !== 'remove') return
    // Its own: what is removed may close the tree's.
    const fd = duplicate(this.directory(path))
    try {
      this.#purgeBelow(fd, path)
    } finally {
      closeSync(fd)
    }
  }

  /** Says that this layer has `path`, which its whiteouts, wherever they stand in the archive, then leave alone. */
  own(path: string): void {
    if (this.whiteouts !== 'remove') return
    for (let at = path; at !== '' && !this.#own.has(at); at = splitEntryPath(at).parent) this.#own.add(at)
  }

  /** Whether `place` holds a whiteout that this tree made. */
  isWhiteout({ fd, name }: Place): boolean {
    const status = this.whiteouts === 'overlay' ? statusOf(fd, name) : undefined
    if (!status || (status.mode & S_IFMT) !== S_IFCHR) return false
    return status.rdev.major === 0 && status.rdev.minor === 0
  }

  /** Makes the directory `path`, over a whiteout an opaque one; over anything else but a directory in its place. */
  makeDirectory(path: string): number {
    const place = this.place(path)
    if (!tryMkdir(place)) {
      const status = statusOf(place.fd, place.name)
      const isOpaque = this.isWhiteout(place)
      if (!status || !isDirectory(status)) {
        this.clear(place)
        // That may have closed the place's descriptor.
        const cleared = this.place(path)
        tryMkdir(cleared)
        const fd = this.#adoptDirectory(path, cleared)
        if (isOpaque) this.makeOpaque(path)
        return fd
      }
    }
    return this.#adoptDirectory(path, place)
  }

  /** Sets a directory's times, which everything that was made in it has changed. */
  setTimes(path: string, times: { readonly atimeNs: bigint; readonly mtimeNs: bigint }): void {
    if (path === '') return utimensat(this.root, '.', times, 0)
    const { fd, name } = this.place(path)
    const status = statusOf(fd, name)
    if (status && isDirectory(status)) utimensat(fd, kernelName(name), times)
  }

  /** Closes the directories that are kept: their paths may lead elsewhere now. */
  forget(): void {
    for (const fd of this.#open.values()) closeSync(fd)
    this.#open.clear()
    this.#last = undefined
  }

  [Symbol.dispose](): void {
    this.forget()
    closeSync(this.root)
  }

  /** Removes what the layers beneath left at `place`. */
  #purge(place: Place, path: string): void {
    if (!this.#own.has(path)) return this.clear(place)
    const status = statusOf(place.fd, place.name)
    if (!status || !isDirectory(status)) return
    const fd = openDirectory(place.fd, place.name)
    try {
      this.#purgeBelow(fd, path)
    } finally {
      closeSync(fd)
    }
  }

  #purgeBelow(fd: number, path: string): void {
    for (const name of namesIn(fd)) this.#purge({ fd, name }, path === '' ? name : `${path}/${name}`)
  }

  #adoptDirectory(path: string, { fd, name }: Place): number {
    const directory = openDirectory(fd, name)
    this.adopt(path, directory)
    return directory
  }

  #openOrMake(path: string): number {
    try {
      return openInRoot(this.root, kernelName(path), { flags: O_RDONLY | O_DIRECTORY })
    } catch (error) {
      const code = codeOf(error)
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error
      return this.#makeMissing(path, error)
    }
  }

  #makeMissing(path: string, cause: unknown): number {
    const { parent, name } = splitEntryPath(path)
    const place = { fd: this.directory(parent), name }
    const isOpaque = this.isWhiteout(place)
    if (isOpaque) unlinkat(place.fd, kernelName(name))
    if (!tryMkdir(place)) throw invalid(`${JSON.stringify(path)} is no directory, yet has members`, cause)
    const fd = openDirectory(place.fd, name)
    fchmodSync(fd, 0o755)
    if (isOpaque) setXattr(fd, opaqueXattr, Buffer.from('y'))
    return fd
  }

  #evict(): void {
    for (const [path, fd] of this.#open) {
      if (this.#open.size <= maxOpenDirectories) return
      this.#open.delete(path)
      closeSync(fd)
    }
  }
}

/** False when something is there already. */
function tryMkdir({ fd, name }: Place): boolean {
  try {
    mkdirat(fd, kernelName(name), 0o755)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}
