import {
  encodeName,
  sanitizeEntryPath,
  splitEntryPath,
  type TarEntry,
  type TarHandler,
  TarParser,
} from '@berth/archive'
import { codeOf, messageOf } from '@berth/base'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  fchmodSync,
  futimesSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  type Stats,
  symlinkSync,
  writeSync,
} from 'node:fs'
import type { Renaming } from './rename-entries.ts'
import { renamed } from './rename-entries.ts'

/**
 * Unpacks a tar in the local directory `target`. The archive is a stranger's: no name of it leads out of the directory,
 * and nothing is made or read through a link below it. Files belong to who runs this; a directory is replaced by nothing
 * else, and nothing else by a directory.
 */
export async function unpackLocal(
  archive: AsyncIterable<Buffer>,
  target: string,
  renaming: Renaming | undefined,
): Promise<void> {
  using unpacker = new LocalUnpacker(target, renaming)
  const parser = new TarParser(unpacker)
  for await (const chunk of archive) parser.write(chunk)
  parser.finish()
  unpacker.finish()
}

class LocalUnpacker implements TarHandler, Disposable {
  readonly #target: string
  readonly #renaming: Renaming | undefined
  /** Directories that are known to be no links. */
  readonly #checked = new Set<string>([''])
  /** Modes and times of directories, set when nothing is made in them any more. */
  readonly #directories = new Map<string, TarEntry>()
  #entry: TarEntry | undefined
  #fd = -1

  constructor(target: string, renaming: Renaming | undefined) {
    this.#target = target
    this.#renaming = renaming
  }

  entry(entry: TarEntry): void {
    this.#entry = entry
    const path = sanitizeEntryPath(renamed(entry.path, this.#renaming))
    if (path === '') return
    this.#enterParent(path)
    if (entry.type === 'directory') return this.#makeDirectory(path, entry)
    this.#clear(path)
    this.#make(path, entry)
  }

  data(bytes: Buffer, offset: number): void {
    if (this.#fd < 0) return
    for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at, bytes.length - at, offset + at)
  }

  end(): void {
    if (this.#fd < 0 || !this.#entry) return
    fchmodSync(this.#fd, this.#entry.mode)
    futimesSync(this.#fd, secondsOf(this.#entry), secondsOf(this.#entry))
    this[Symbol.dispose]()
  }

  finish(): void {
    for (const [path, entry] of [...this.#directories].toReversed()) {
      chmodSync(this.#at(path), entry.mode)
      lutimesSync(this.#at(path), secondsOf(entry), secondsOf(entry))
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) closeSync(this.#fd)
    this.#fd = -1
  }

  /** As bytes: a name need not be UTF-8. */
  #at(path: string): Buffer {
    return Buffer.concat([Buffer.from(`${this.#target}/`), encodeName(path)])
  }

  /** Makes sure that every directory above `path` is one, and no link to one. */
  #enterParent(path: string): void {
    const { parent } = splitEntryPath(path)
    if (this.#checked.has(parent)) return
    this.#enterParent(parent)
    const status = statusOf(this.#at(parent))
    if (!status) mkdirSync(this.#at(parent), 0o755)
    else if (!status.isDirectory()) throw new Error(`${JSON.stringify(parent)} is no directory, yet has members`)
    this.#checked.add(parent)
  }

  #makeDirectory(path: string, entry: TarEntry): void {
    const status = statusOf(this.#at(path))
    if (status && !status.isDirectory()) throw this.#clash('non-directory', 'directory', path)
    if (!status) mkdirSync(this.#at(path), 0o700)
    this.#checked.add(path)
    this.#directories.set(path, entry)
  }

  /** Whatever is there is removed, but a directory. */
  #clear(path: string): void {
    const status = statusOf(this.#at(path))
    if (!status) return
    if (status.isDirectory()) throw this.#clash('directory', 'non-directory', path)
    rmSync(this.#at(path))
  }

  #clash(old: string, fresh: string, path: string): Error {
    const [there, here] = [`${this.#target}/${path}`, this.#target].map((text) => JSON.stringify(text))
    return new Error(`cannot overwrite ${old} ${there} with ${fresh} ${here}`)
  }

  #make(path: string, entry: TarEntry): void {
    const at = this.#at(path)
    switch (entry.type) {
      case 'file':
        this.#fd = openSync(at, 'wx', 0o600)
        if (entry.sizeBytes === 0) this.end()
        return
      case 'symlink':
        symlinkSync(encodeName(entry.linkPath), at)
        return lutimesSync(at, secondsOf(entry), secondsOf(entry))
      case 'hardlink':
        return this.#makeHardLink(at, entry)
      case 'fifo':
      case 'block':
      case 'character':
        return makeNode(at, entry)
      case 'directory':
    }
  }

  #makeHardLink(at: Buffer, entry: TarEntry): void {
    const target = sanitizeEntryPath(renamed(entry.linkPath, this.#renaming))
    this.#enterParent(target)
    linkSync(this.#at(target), at)
  }
}

const secondsOf = ({ mtime }: TarEntry): number => mtime.seconds + mtime.nanoseconds / 1e9

function statusOf(path: Buffer): Stats | undefined {
  try {
    return lstatSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

const nodeTypes = { fifo: 'p', block: 'b', character: 'c' } as const

/** Node has no mknod(2); the distribution's program does it, of the host's own PATH. */
function makeNode(at: Buffer, entry: TarEntry): void {
  const type = nodeTypes[entry.type as keyof typeof nodeTypes]
  const numbers = type === 'p' ? [] : [String(entry.deviceMajor), String(entry.deviceMinor)]
  const path = at.toString()
  try {
    execFileSync('mknod', ['-m', entry.mode.toString(8), '--', path, type, ...numbers], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
  } catch (error) {
    throw new Error(`mknod ${path}: ${messageOf(error)}`, { cause: error })
  }
  lutimesSync(at, secondsOf(entry), secondsOf(entry))
}
