import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  symlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { type EntrySink, fromGoMode, GrpcError, grpcCode, type Stat } from '@berth/buildkit-protocol'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY, S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT, S_IFREG } =
  constants

/**
 * Makes the files of a tree below `root`, which must be there; what is there already is kept or replaced. Each path comes
 * once, and in a directory that came before it: nothing is written through a link, or outside. Names that are different
 * for us may be the same for the file system (upper and lower case), so each directory is looked at before its use, too.
 */
export class TreeWriter implements EntrySink, Disposable {
  readonly #root: string
  readonly #came = new Set<string>()
  /** That came, or are the root. */
  readonly #directories = new Map<string, Stat | undefined>([['', undefined]])
  /** Further names of files, which are made when those are there. */
  readonly #links: { readonly path: string; readonly first: string }[] = []
  readonly #files = new Map<number, { readonly stat: Stat; descriptor?: number }>()

  constructor(root: string) {
    this.#root = root
  }

  /** Makes an entry; true when its content is to come, under the id. */
  entry(id: number, stat: Stat): boolean {
    this.#requireSafe(stat.path)
    if (this.#came.has(stat.path)) throw invalidPath(stat.path)
    this.#came.add(stat.path)
    const mode = fromGoMode(stat.mode)
    switch (mode & S_IFMT) {
      case S_IFDIR:
        this.#makeDirectory(stat)
        return false
      case S_IFREG:
        if (stat.linkname !== '') this.#links.push(this.#requireLink(stat))
        else this.#files.set(id, { stat })
        return stat.linkname === ''
      case S_IFLNK:
        symlinkSync(stat.linkname, this.#cleared(stat.path))
        lutimesSync(this.#at(stat.path), secondsOf(stat), secondsOf(stat))
        return false
      case S_IFBLK:
      case S_IFCHR:
      case S_IFIFO:
        this.#makeSpecial(stat, mode & S_IFMT)
        return false
      default:
        return false
    }
  }

  data(id: number, bytes: Uint8Array): void {
    const file = this.#file(id)
    for (let at = 0; at < bytes.length;) at += writeSync(this.#open(file), bytes, at)
  }

  /** The file is whole. */
  end(id: number): void {
    const file = this.#file(id)
    const descriptor = this.#open(file)
    this.#files.delete(id)
    try {
      fchmodSync(descriptor, permissionsOf(file.stat))
      futimesSync(descriptor, secondsOf(file.stat), secondsOf(file.stat))
    } finally {
      closeSync(descriptor)
    }
  }

  /** All files are whole. */
  finish(): void {
    for (const { path, first } of this.#links) {
      this.#requireDirectory(parentOf(first))
      linkSync(this.#at(first), this.#cleared(path))
    }
    // The deepest first: making what is in a directory changes its time.
    for (const stat of [...this.#directories.values()].toReversed()) if (stat !== undefined) this.#finishDirectory(stat)
  }

  [Symbol.dispose](): void {
    for (const { descriptor } of this.#files.values()) if (descriptor !== undefined) closeSync(descriptor)
    this.#files.clear()
  }

  #requireSafe(path: string): void {
    const isClean = path !== '' && path !== '.' && posix.resolve('/', path).slice(1) === path && !path.includes('\0')
    if (!isClean || !this.#directories.has(parentOf(path))) throw invalidPath(path)
  }

  /** Throws unless `path` and all above it, up to the root, are directories on the disk. */
  #requireDirectory(path: string): void {
    if (path === '') return
    this.#requireDirectory(parentOf(path))
    if (lstatSync(this.#at(path), { throwIfNoEntry: false })?.isDirectory() === true) return
    throw new GrpcError(grpcCode.invalidArgument, `${JSON.stringify(path)} in the output is no directory any more`)
  }

  #file(id: number): { readonly stat: Stat; descriptor?: number } {
    const file = this.#files.get(id)
    if (file === undefined) throw new GrpcError(grpcCode.invalidArgument, `nobody asked for file ${id}`)
    return file
  }

  #open(file: { readonly stat: Stat; descriptor?: number }): number {
    return (file.descriptor ??= openSync(
      this.#cleared(file.stat.path),
      O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY,
      0o600,
    ))
  }

  #makeDirectory(stat: Stat): void {
    this.#requireDirectory(parentOf(stat.path))
    const path = this.#at(stat.path)
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) mkdirSync(this.#cleared(stat.path), 0o700)
    this.#directories.set(stat.path, stat)
  }

  #requireLink({ path, linkname }: Stat): { readonly path: string; readonly first: string } {
    const first = linkname.replace(/^\/+/, '')
    this.#requireSafe(first)
    return { path, first }
  }

  /** Node has no mknod(2). */
  #makeSpecial(stat: Stat, type: number): void {
    const kind = type === S_IFIFO ? 'p' : type === S_IFBLK ? 'b' : 'c'
    const numbers = kind === 'p' ? [] : [String(stat.devmajor), String(stat.devminor)]
    execFileSync('mknod', ['--', this.#cleared(stat.path), kind, ...numbers], { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#finish(stat)
  }

  #finishDirectory(stat: Stat): void {
    this.#requireDirectory(stat.path)
    this.#finish(stat)
  }

  /** Of what is known to be no link, which chmod(2) would follow. */
  #finish(stat: Stat): void {
    chmodSync(this.#at(stat.path), permissionsOf(stat))
    lutimesSync(this.#at(stat.path), secondsOf(stat), secondsOf(stat))
  }

  /** The path, where nothing is any more, in a directory. */
  #cleared(path: string): string {
    this.#requireDirectory(parentOf(path))
    const at = this.#at(path)
    rmSync(at, { recursive: true, force: true })
    return at
  }

  #at(path: string): string {
    return join(this.#root, path)
  }
}

const parentOf = (path: string): string => (path.includes('/') ? dirname(path) : '')

const invalidPath = (path: string): GrpcError =>
  new GrpcError(grpcCode.invalidArgument, `invalid path ${JSON.stringify(path)} in the output`)

const permissionsOf = ({ mode }: Stat): number => fromGoMode(mode) & 0o7777

const secondsOf = ({ modTime }: Stat): number => Number(modTime) / 1e9
