import { describeFile, sendEntries, type SentEntry, sessionMethods, toGoMode } from '@berth/buildkit-protocol'
import { type BigIntStats, constants } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Session } from '../session/session.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFDIR, S_IFREG } = constants

export interface SendOptions {
  /** Number of the client's exporter. */
  readonly exporterId: number
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number) => void
}

export interface SendTreeOptions extends SendOptions {
  /** The time of all files, in seconds since 1970; undefined: their own. */
  readonly epochSeconds: number | undefined
}

/** What is sent: all that is below `root`, which does not change meanwhile, and files beside it. */
export interface SentTree {
  readonly root: string
  /** Into a folder of this name; '' is the top. */
  readonly folder: string
  readonly files: readonly { readonly path: string; readonly content: Buffer }[]
}

/** Sends a tree to a client that exports a directory; resolves to the bytes of its files. */
export async function sendTree(session: Session, tree: SentTree, options: SendTreeOptions): Promise<number> {
  const metadata = { 'buildkit-attachable-exporter-id': String(options.exporterId) }
  const call = session.client.open(sessionMethods.sendTree, { metadata, signal: options.signal })
  return await sendEntries(call, new Walk(tree, options.epochSeconds).entries(), options.onProgress)
}

class Walk {
  readonly #root: string
  readonly #folder: string
  readonly #extra: ReadonlyMap<string, Buffer>
  readonly #epochSeconds: number | undefined
  /** The first name of a file that has several, by its inode. */
  readonly #links = new Map<bigint, string>()

  constructor({ root, folder, files }: SentTree, epochSeconds: number | undefined) {
    this.#root = root
    this.#folder = folder
    this.#extra = new Map(files.map(({ path, content }) => [path, content]))
    this.#epochSeconds = epochSeconds
  }

  async *entries(): AsyncGenerator<SentEntry> {
    if (this.#folder !== '') {
      yield { stat: { path: this.#folder, mode: toGoMode(S_IFDIR | 0o755), modTime: this.#time(0n) } }
    }
    yield* this.#list('')
  }

  /** In the order that the client expects: names by their bytes, a directory before what is in it. */
  async *#list(directory: string): AsyncGenerator<SentEntry> {
    const own = await readdir(join(this.#root, directory))
    const names = directory === '' ? [...new Set([...own, ...this.#extra.keys()])] : own
    for (const name of names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const path = directory === '' ? name : `${directory}/${name}`
      const extra = this.#extra.get(path)
      if (extra) {
        yield this.#beside(path, extra)
        continue
      }
      const status = await lstat(join(this.#root, path), { bigint: true })
      yield await this.#entry(path, status)
      if (status.isDirectory()) yield* this.#list(path)
    }
  }

  #beside(path: string, content: Buffer): SentEntry {
    const mode = toGoMode(S_IFREG | 0o600)
    return {
      stat: { path: this.#place(path), mode, size: BigInt(content.length), modTime: this.#time(0n) },
      open: () => [content],
    }
  }

  async #entry(path: string, status: BigIntStats): Promise<SentEntry> {
    const isFile = status.isFile()
    const first = isFile && status.nlink > 1n ? this.#links.get(status.ino) : undefined
    if (isFile && first === undefined) this.#links.set(status.ino, path)
    const target = status.isSymbolicLink() ? await readlink(join(this.#root, path)) : undefined
    const linkname = target ?? (first === undefined ? '' : this.#place(first))
    return {
      stat: { ...describeFile(status, { path: this.#place(path), linkname }), modTime: this.#time(status.mtimeNs) },
      open: isFile && first === undefined ? () => readFile(join(this.#root, path)) : undefined,
    }
  }

  /** Of what is at `path` beneath the root, for the client. */
  #place(path: string): string {
    return this.#folder === '' ? path : `${this.#folder}/${path}`
  }

  #time(ownNs: bigint): bigint {
    return this.#epochSeconds === undefined ? ownNs : BigInt(this.#epochSeconds) * 1_000_000_000n
  }
}

async function* readFile(path: string): AsyncGenerator<Buffer> {
  await using file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  yield* file.createReadStream({ highWaterMark: 256 << 10, autoClose: false }) as AsyncIterable<Buffer>
}
