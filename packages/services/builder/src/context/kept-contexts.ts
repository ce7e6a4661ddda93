import { nowText, shortId } from '@berth/base'
import type { SourceSelection, SourcesDigest } from '@berth/storage'
import { createHash } from 'node:crypto'
import type { ReceivedContext } from '../builder.ts'
import type { Context } from '../context.ts'

/** A tree as its client describes it: by path, all that says whether an entry is the same. */
export type FileMarks = ReadonlyMap<string, string>

/** What a client's directory had in its last build; it stays for as long as this is held. */
export interface KeptContext extends AsyncDisposable {
  readonly directory: string
  readonly marks: FileMarks
}

/** Of all that is kept, so that neither memory nor disk fills with it. */
const maxContexts = 20
const maxMarks = 300_000
const maxDigests = 1000
const keepMs = 48 * 60 * 60_000

/** Files are given inodes of their own when nothing is built any more. */
const idleMs = 3000
const filesAtOnce = 500

interface Kept {
  readonly key: string
  readonly context: ReceivedContext
  readonly marks: FileMarks
  readonly sizeBytes: number
  readonly createdAt: string
  usedAt: string
  uses: number
  holds: number
  isReplaced: boolean
  isShared: boolean
  /** What was found out of its files, by what was asked. */
  readonly digests: Map<string, Promise<SourcesDigest>>
}

/**
 * The last files of clients' directories, by the keys that clients give them, so that they send only what has changed.
 * Layers share their files at first, as is told of by the numbers of their links; that ends soon after the builds.
 */
export class KeptContexts implements AsyncDisposable {
  readonly #kept = new Map<string, Kept>()
  readonly #trees: Context['storage']['trees']
  readonly #logger: Context['logger']
  readonly #disposals = new Set<Promise<void>>()
  #builds = 0
  #timer: NodeJS.Timeout | undefined
  #unsharing: Promise<void> | undefined

  constructor({ storage, logger }: Pick<Context, 'storage' | 'logger'>) {
    this.#trees = storage.trees
    this.#logger = logger
  }

  /** What is kept under a key, held. */
  hold(key: string): KeptContext | undefined {
    const kept = this.#kept.get(key)
    if (!kept) return undefined
    kept.usedAt = nowText()
    kept.uses++
    // A build that finds nothing changed takes its files from here.
    kept.isShared = true
    return this.#holdOf(kept)
  }

  /** Keeps a context in the place of the last one, and holds it: it is no more the caller's. */
  keep(
    key: string,
    context: ReceivedContext,
    { marks, sizeBytes }: Pick<Kept, 'marks' | 'sizeBytes'>,
  ): AsyncDisposable {
    const now = nowText()
    const kept: Kept = {
      key,
      context,
      marks,
      sizeBytes,
      createdAt: now,
      usedAt: now,
      uses: 1,
      holds: 0,
      isReplaced: false,
      isShared: true,
      digests: new Map(),
    }
    const before = this.#kept.get(key)
    this.#kept.delete(key)
    this.#kept.set(key, kept)
    if (before) this.#replace(before)
    const hold = this.#holdOf(kept)
    this.#evict()
    return hold
  }

  /** What a build copies, by its content; of a directory that is kept, and does not change, found out once. */
  async digest(selection: SourceSelection): Promise<SourcesDigest> {
    const kept = this.#kept.values().find(({ context }) => context.directory === selection.root)
    if (!kept) return await this.#trees.digest(selection)
    const question = JSON.stringify(selection)
    const known = kept.digests.get(question)
    if (known) return await known
    const asked = this.#trees.digest(selection)
    if (kept.digests.size < maxDigests) kept.digests.set(question, asked)
    asked.catch(() => kept.digests.delete(question))
    return await asked
  }

  /** A build begins; it ends with the disposal. */
  building(): Disposable {
    this.#builds++
    clearTimeout(this.#timer)
    return {
      [Symbol.dispose]: () => {
        if (--this.#builds > 0) return
        this.#timer = setTimeout(() => this.#settle(), idleMs).unref()
      },
    }
  }

  list(): (Pick<Kept, 'createdAt' | 'usedAt' | 'uses' | 'sizeBytes'> & {
    readonly id: string
    readonly isInUse: boolean
  })[] {
    return [...this.#kept.values()].map(({ key, createdAt, usedAt, uses, sizeBytes, holds }) => {
      return { id: idOf(key), createdAt, usedAt, uses, sizeBytes, isInUse: holds > 0 }
    })
  }

  /** Drops what no build holds, of these ids; resolves when it is gone. */
  async drop(ids: ReadonlySet<string>): Promise<void> {
    for (const kept of this.#kept.values()) if (ids.has(idOf(kept.key)) && kept.holds === 0) this.#forget(kept)
    await Promise.all(this.#disposals)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    // What is on the disk the next start sweeps; this one need not wait for it.
    this.#builds = Infinity
    await this.#unsharing
    await Promise.all(this.#disposals)
  }

  #holdOf(kept: Kept): KeptContext {
    kept.holds++
    return {
      directory: kept.context.directory,
      marks: kept.marks,
      [Symbol.asyncDispose]: async () => {
        if (--kept.holds === 0 && kept.isReplaced) await this.#dispose(kept)
      },
    }
  }

  #forget(kept: Kept): void {
    if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key)
    this.#replace(kept)
  }

  #replace(kept: Kept): void {
    kept.isReplaced = true
    if (kept.holds === 0) void this.#dispose(kept)
  }

  #dispose(kept: Kept): Promise<void> {
    const disposal = this.#remove(kept).finally(() => this.#disposals.delete(disposal))
    this.#disposals.add(disposal)
    return disposal
  }

  async #remove({ context }: Kept): Promise<void> {
    try {
      await context[Symbol.asyncDispose]()
    } catch (error) {
      this.#logger.warn({ err: error }, 'builder: a context could not be removed')
    }
  }

  /** The longest unused first. */
  #evict(): void {
    const marks = () => this.#kept.values().reduce((sum, kept) => sum + kept.marks.size, 0)
    const oldest = [...this.#kept.values()].toSorted((a, b) => (a.usedAt < b.usedAt ? -1 : 1))
    for (const kept of oldest) {
      if (this.#kept.size <= maxContexts && marks() <= maxMarks) return
      this.#forget(kept)
    }
  }

  #settle(): void {
    const tooOld = new Date(Date.now() - keepMs).toISOString()
    for (const kept of this.#kept.values()) if (kept.usedAt < tooOld && kept.holds === 0) this.#forget(kept)
    this.#unsharing ??= this.#unshareAll().finally(() => (this.#unsharing = undefined))
  }

  async #unshareAll(): Promise<void> {
    for (const kept of this.#kept.values()) {
      try {
        await this.#unshare(kept)
      } catch (error) {
        // A disk that is full has better use for the space.
        this.#logger.debug({ err: error }, 'builder: a context is not kept')
        if (kept.holds === 0) this.#forget(kept)
      }
    }
  }

  async #unshare(kept: Kept): Promise<void> {
    while (kept.isShared && this.#builds === 0 && !kept.isReplaced) {
      using _ = { [Symbol.dispose]: () => kept.holds-- }
      kept.holds++
      kept.isShared = !(await this.#trees.unshare({ root: kept.context.directory, maxFiles: filesAtOnce }))
    }
    if (kept.isReplaced && kept.holds === 0) await this.#dispose(kept)
  }
}

/** How a kept context is called towards users. */
const idOf = (key: string): string => shortId(createHash('sha256').update(key).digest('hex'))
