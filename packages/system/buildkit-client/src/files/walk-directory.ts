import {
  type BigIntStats,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { describeFile, type SentEntry } from '@berth/buildkit-protocol'
import { type IgnoreRules, ignoreRules } from '@berth/dockerfile'
import { followLinks } from './follow-links.ts'
import { type PathPatterns, pathPatterns } from './path-patterns.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

const pieceBytes = 64 << 10

/** What of a directory is wanted. */
export interface WantedFiles {
  /** As in a `.dockerignore`. */
  readonly excludes: readonly string[]
  readonly includes: readonly string[]
  /** Like `includes`, with what symlinks lead to. */
  readonly follows: readonly string[]
}

/**
 * The files of a directory in the order of fsutil: names by their bytes, a directory before what is in it. Owners are not
 * told, sockets are left out. Directories that are not wanted themselves come with the first of their files that is.
 */
export function walkDirectory(root: string, { excludes, includes, follows }: WantedFiles): Iterable<SentEntry> {
  statSync(root)
  const wanted = [...includes, ...(follows.length > 0 ? followLinks(root, follows) : [])]
  const walk = new Walk(root, pathPatterns(wanted), ignoreRules(excludes))
  return walk.below('', [])
}

class Walk {
  readonly #root: string
  readonly #included: PathPatterns
  readonly #excluded: IgnoreRules
  /** The first name of a file that has several, by its inode. */
  readonly #links = new Map<bigint, string>()

  constructor(root: string, included: PathPatterns, excluded: IgnoreRules) {
    this.#root = root
    this.#included = included
    this.#excluded = excluded
  }

  /** `pending`: directories above that wait for something to be in them. */
  *below(directory: string, pending: SentEntry[]): Generator<SentEntry> {
    const names = readdirSync(join(this.#root, directory))
    for (const name of inOrder(names)) {
      const path = directory === '' ? name : `${directory}/${name}`
      const status = lstatSync(join(this.#root, path), { bigint: true, throwIfNoEntry: false })
      // Gone in the meantime.
      if (status === undefined || status.isSocket()) continue
      const isExcluded = this.#excluded.ignores(path)
      const isWanted = !isExcluded && this.#included.matches(path)
      if (status.isDirectory()) yield* this.#directory(path, { status, isExcluded, isWanted }, pending)
      else if (isWanted) yield* this.#with(pending, this.#entry(path, status))
    }
  }

  *#directory(
    path: string,
    { status, isExcluded, isWanted }: { status: BigIntStats; isExcluded: boolean; isWanted: boolean },
    pending: SentEntry[],
  ): Generator<SentEntry> {
    if (isExcluded && !this.#excluded.hasExceptions) return
    const isIncluded = isWanted || this.#included.matches(path)
    if (!isIncluded && !this.#included.mayHoldMatch(path)) return
    const entry = this.#entry(path, status)
    if (!isWanted) {
      pending.push(entry)
      yield* this.below(path, pending)
      if (pending.at(-1) === entry) pending.pop()
      return
    }
    yield* this.#with(pending, entry)
    yield* this.below(path, pending)
  }

  *#with(pending: SentEntry[], entry: SentEntry): Generator<SentEntry> {
    yield* pending.splice(0)
    yield entry
  }

  #entry(path: string, status: BigIntStats): SentEntry {
    const full = join(this.#root, path)
    const isFile = status.isFile()
    const first = isFile && status.nlink > 1n ? this.#links.get(status.ino) : undefined
    if (isFile && first === undefined) this.#links.set(status.ino, path)
    const linkname = status.isSymbolicLink() ? readlinkSync(full) : (first ?? '')
    return {
      stat: { ...describeFile(status, { path, linkname }), uid: 0, gid: 0 },
      open: isFile && first === undefined ? () => readPieces(full) : undefined,
    }
  }
}

const isAscii = (name: string): boolean => Buffer.byteLength(name) === name.length

/** UTF-16 and UTF-8 agree on the order of what is ASCII. */
function inOrder(names: readonly string[]): string[] {
  if (names.every(isAscii)) return names.toSorted()
  return names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}

function* readPieces(path: string): Generator<Uint8Array> {
  const file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(pieceBytes)
      const bytes = readSync(file, piece, 0, piece.length, null)
      if (bytes === 0) return
      yield piece.subarray(0, bytes)
    }
  } finally {
    closeSync(file)
  }
}
