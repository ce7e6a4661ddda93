import { checkSymlinkTarget, sanitizeEntryPath, splitEntryPath } from '@berth/archive'
import { invalid } from '@berth/base'
import {
  AT_EMPTY_PATH,
  fchmodat,
  fchownat,
  linkat,
  mknodat,
  O_PATH,
  openInRoot,
  procFd,
  symlinkat,
  utimensat,
} from '@berth/linux'
import { chmodSync, closeSync, constants, fchmodSync, fchownSync, writeSync } from 'node:fs'
import { kernelName } from '../layers/directory.ts'
import { LayerTree, type Place } from '../layers/layer-tree.ts'
import { decodeTreeRecords, type TreeEntry } from './tree-records.ts'

const {
  O_CREAT,
  O_EXCL,
  O_NOFOLLOW,
  O_WRONLY,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
  S_IFSOCK,
} = constants

export interface FillTask {
  readonly target: string
  /** A tree on the same disk, whose files are taken by further names where a record says so. */
  readonly base?: string | undefined
}

/**
 * Fills an empty directory with entries as they come. Each is made once, in a directory that came before it; so no path
 * leads through a symlink, or out of the tree. Throws `invalid` for what is not so, or longer than it was said to be.
 */
export async function fillTree(
  { target, base }: FillTask,
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): Promise<void> {
  using filler = new TreeFiller(target, base)
  for await (const record of decodeTreeRecords(source)) {
    signal.throwIfAborted()
    if (record.kind === 'entry') filler.make(record.entry)
    else if (record.kind === 'data') filler.write(record.id, record.bytes)
    else if (record.kind === 'same') filler.take(record.id)
    else filler.close(record.id)
  }
  filler.finish()
}

/** What is known of them is kept until the end. */
const maxEntries = 4_000_000
const maxOpenFiles = 256

interface OpenFile {
  readonly fd: number
  readonly entry: TreeEntry
  writtenBytes: number
}

class TreeFiller implements Disposable {
  readonly #tree: LayerTree
  readonly #base: LayerTree | undefined
  readonly #directories = new Map<string, TreeEntry | undefined>([['', undefined]])
  readonly #others = new Set<string>()
  /** Files that others may be links to; those are made when all content is there. */
  readonly #files = new Set<string>()
  readonly #links: { readonly path: string; readonly to: string }[] = []
  /** Those whose content is still to come; opened with its first piece. */
  readonly #expected = new Map<number, TreeEntry>()
  readonly #open = new Map<number, OpenFile>()

  constructor(target: string, base?: string) {
    this.#tree = new LayerTree(target, 'none')
    this.#base = base === undefined ? undefined : new LayerTree(base, 'none')
  }

  make(entry: TreeEntry): void {
    const { path, mode } = entry
    if (this.#directories.size + this.#others.size > maxEntries) throw invalid(`a tree may have ${maxEntries} entries`)
    this.#requireNew(path)
    const place = this.#tree.place(path)
    if ((mode & S_IFMT) === S_IFDIR) {
      this.#tree.makeDirectory(path)
      this.#directories.set(path, entry)
      return
    }
    this.#others.add(path)
    if ((mode & S_IFMT) === S_IFREG && entry.link === '') {
      this.#files.add(path)
      this.#expected.set(entry.id, entry)
      return
    }
    this.#makeOther(place, entry)
  }

  write(id: number, bytes: Uint8Array): void {
    const file = this.#openFile(id)
    file.writtenBytes += bytes.length
    if (file.writtenBytes > file.entry.sizeBytes) {
      throw invalid(`${JSON.stringify(file.entry.path)} is longer than its ${file.entry.sizeBytes} bytes`)
    }
    for (let at = 0; at < bytes.length;) at += writeSync(file.fd, bytes, at)
  }

  close(id: number): void {
    const { fd, entry } = this.#openFile(id)
    fchownSync(fd, entry.uid, entry.gid)
    fchmodSync(fd, entry.mode & 0o7777)
    utimensat(fd, '', timesOf(entry), AT_EMPTY_PATH)
    closeSync(fd)
    this.#open.delete(id)
  }

  /** The file, with its content and metadata, is the one of the tree before. */
  take(id: number): void {
    const entry = this.#expected.get(id)
    if (!entry || !this.#base) throw invalid(`file ${id} is nowhere`)
    this.#expected.delete(id)
    const from = this.#base.place(entry.path)
    const place = this.#tree.place(entry.path)
    linkat(from.fd, kernelName(from.name), place.fd, kernelName(place.name))
  }

  /** Directories get their metadata last: what was made in them has changed it. */
  finish(): void {
    if (this.#open.size > 0 || this.#expected.size > 0) throw invalid('the tree ended before its files did')
    for (const { path, to } of this.#links) this.#link(path, to)
    for (const [path, entry] of [...this.#directories].toReversed()) {
      if (!entry) continue
      const fd = this.#tree.directory(path)
      fchownat(fd, '', entry, AT_EMPTY_PATH)
      chmodSync(procFd(fd), entry.mode & 0o7777)
      this.#tree.setTimes(path, timesOf(entry))
    }
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) closeSync(fd)
    this.#tree[Symbol.dispose]()
    this.#base?.[Symbol.dispose]()
  }

  #requireNew(path: string): void {
    if (path === '' || sanitizeEntryPath(path) !== path) throw invalid(`invalid path ${JSON.stringify(path)}`)
    if (!this.#directories.has(splitEntryPath(path).parent)) {
      throw invalid(`the directory of ${JSON.stringify(path)} did not come before it`)
    }
    if (this.#directories.has(path) || this.#others.has(path)) throw invalid(`${JSON.stringify(path)} came twice`)
  }

  #openFile(id: number): OpenFile {
    const open = this.#open.get(id)
    if (open) return open
    const entry = this.#expected.get(id)
    if (!entry) throw invalid(`nothing is to be written to file ${id}`)
    this.#expected.delete(id)
    if (this.#open.size === maxOpenFiles) throw invalid('too many files of the tree come at once')
    const { fd, name } = this.#tree.place(entry.path)
    const flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW
    const file = { fd: openInRoot(fd, kernelName(name), { flags, mode: 0o600 }), entry, writtenBytes: 0 }
    this.#open.set(id, file)
    return file
  }

  #makeOther({ fd, name }: Place, entry: TreeEntry): void {
    const type = entry.mode & S_IFMT
    if (type === S_IFREG) {
      if (!this.#files.has(entry.link)) throw invalid(`${JSON.stringify(entry.path)} is a link to no earlier file`)
      return void this.#links.push({ path: entry.path, to: entry.link })
    }
    if (type === S_IFLNK) symlinkat(kernelName(checkSymlinkTarget(entry.link)), fd, kernelName(name))
    else this.#makeNode(fd, name, entry)
    fchownat(fd, kernelName(name), entry)
    utimensat(fd, kernelName(name), timesOf(entry))
  }

  #link(path: string, to: string): void {
    const from = this.#tree.place(to)
    const place = this.#tree.place(path)
    linkat(from.fd, kernelName(from.name), place.fd, kernelName(place.name))
  }

  #makeNode(fd: number, name: string, { mode, device, path }: TreeEntry): void {
    if (![S_IFCHR, S_IFBLK, S_IFIFO, S_IFSOCK].includes(mode & S_IFMT)) {
      throw invalid(`${JSON.stringify(path)} is of no known type`)
    }
    mknodat(fd, kernelName(name), mode, device)
    const made = openInRoot(fd, kernelName(name), { flags: O_PATH | O_NOFOLLOW })
    try {
      fchmodat(made, procFd(made), mode & 0o7777)
    } finally {
      closeSync(made)
    }
  }
}

const timesOf = ({ mtimeNs }: TreeEntry) => ({ atimeNs: mtimeNs, mtimeNs })
