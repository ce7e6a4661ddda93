import { codeOf, internal, invalid, isDiskFull, KeyedLock, messageOf } from '@berth/base'
import { algorithmOf, type Digest, Digester, hexOf } from '@berth/oci'
import { createReadStream, rmSync, unlinkSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { abortable } from './abortable.ts'
import type { IngestedBlob, PartialBlob } from './content-store.ts'
import { FileWriter } from './file-writer.ts'

/** How long the beginning of a blob is worth its space. */
export const keptMs = 24 * 3600_000
/** Less than this comes again faster than it is explained. */
export const leastKeptBytes = 1 << 20

/** The beginnings of blobs, `<root>/content/partial/<algorithm>-<hex>`: they outlive the engine, but not a day. */
export class PartialBlobs {
  readonly #directory: string
  readonly #adopt: (path: string, digest: Digest) => Promise<IngestedBlob>
  readonly #locks = new KeyedLock<Digest>()

  private constructor(directory: string, adopt: (path: string, digest: Digest) => Promise<IngestedBlob>) {
    this.#directory = directory
    this.#adopt = adopt
  }

  /** Opens the directory and deletes what is too old or too little. */
  static async open(
    directory: string,
    adopt: (path: string, digest: Digest) => Promise<IngestedBlob>,
  ): Promise<PartialBlobs> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const partials = new PartialBlobs(directory, adopt)
    await partials.sweep()
    return partials
  }

  /** Waits until nobody else has this blob's beginning. */
  async begin(digest: Digest, totalBytes: number): Promise<PartialBlob> {
    const lock = await this.#locks.acquire(digest)
    try {
      await this.sweep()
      const path = join(this.#directory, `${algorithmOf(digest)}-${hexOf(digest)}`)
      const partial = new OpenPartial({
        path,
        digest,
        totalBytes,
        adopt: this.#adopt,
        release: () => lock[Symbol.dispose](),
      })
      await partial.load()
      return partial
    } catch (error) {
      lock[Symbol.dispose]()
      throw error
    }
  }

  /** Deletes what is too old or too little, but what somebody has open. Returns its bytes. */
  async sweep(): Promise<number> {
    let bytes = 0
    for (const name of await readdir(this.#directory)) {
      const sizeBytes = await this.#sizeOfWorthless(name)
      // Nobody can open it between this question and its end.
      if (sizeBytes === undefined || this.#locks.isHeld(name.replace('-', ':') as Digest)) continue
      rmSync(join(this.#directory, name), { recursive: true, force: true })
      bytes += sizeBytes
    }
    return bytes
  }

  async #sizeOfWorthless(name: string): Promise<number | undefined> {
    try {
      const { mtimeMs, size } = await stat(join(this.#directory, name))
      return size >= leastKeptBytes && Date.now() - mtimeMs < keptMs ? undefined : size
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    }
  }
}

interface PartialOptions {
  readonly path: string
  readonly digest: Digest
  readonly totalBytes: number
  readonly adopt: (path: string, digest: Digest) => Promise<IngestedBlob>
  readonly release: () => void
}

class OpenPartial implements PartialBlob {
  readonly path: string
  readonly #options: PartialOptions
  #file: FileHandle | undefined
  #digester: Digester
  #isVerified = false
  #isDone = false
  #isKept = false

  constructor(options: PartialOptions) {
    this.path = options.path
    this.#options = options
    this.#digester = new Digester(algorithmOf(options.digest))
  }

  get sizeBytes(): number {
    return this.#digester.sizeBytes
  }

  /** Takes up what an earlier run has left; it is hashed again, for nobody vouches for it. */
  async load(): Promise<void> {
    this.#file = await open(this.path, 'a+', 0o600)
    const { size } = await this.#file.stat()
    if (size > this.#options.totalBytes) return await this.reset()
    if (size === 0) return
    for await (const chunk of createReadStream(this.path, { highWaterMark: 1 << 20 })) {
      this.#digester.update(chunk as Buffer)
    }
  }

  async reset(): Promise<void> {
    this.#isVerified = false
    await this.#opened.truncate(0)
    this.#digester = new Digester(algorithmOf(this.#options.digest))
  }

  async append(source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<void> {
    const writer = new FileWriter(this.#opened)
    try {
      await this.#take(signal ? abortable(source, signal) : source, writer)
    } finally {
      await this.#finish(writer)
    }
  }

  verify(): void {
    if (this.#isVerified) return
    const { digest, totalBytes } = this.#options
    if (this.sizeBytes !== totalBytes) {
      throw invalid(`blob ${digest} has ${this.sizeBytes} bytes, not the ${totalBytes} it should have`)
    }
    const actual = this.#digester.digest()
    if (actual !== digest) {
      this.#digester = new Digester(algorithmOf(digest))
      throw invalid(`blob has the digest ${actual}, expected ${digest}`)
    }
    this.#isVerified = true
  }

  async commit(): Promise<IngestedBlob> {
    this.verify()
    await this.#opened.datasync()
    const blob = await this.#options.adopt(this.path, this.#options.digest)
    this.#isDone = true
    return blob
  }

  keep(): void {
    this.#isKept = true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#file?.close()
      if (!this.#isDone && !(this.#isKept && this.sizeBytes >= leastKeptBytes)) unlinkSync(this.path)
    } finally {
      this.#options.release()
    }
  }

  get #opened(): FileHandle {
    if (!this.#file) throw new Error(`partial blob ${this.#options.digest} is not open`)
    return this.#file
  }

  async #take(source: AsyncIterable<Uint8Array>, writer: FileWriter): Promise<void> {
    const { digest, totalBytes } = this.#options
    for await (const chunk of source) {
      if (this.sizeBytes + chunk.length > totalBytes) {
        throw invalid(`blob ${digest} has more than the ${totalBytes} bytes it should have`)
      }
      this.#digester.update(chunk)
      await writer.write(chunk)
    }
  }

  /** What came is in the file when this resolves; when that cannot be, nothing counts, so that file and digest agree. */
  async #finish(writer: FileWriter): Promise<void> {
    const before = this.sizeBytes
    try {
      await writer.flush()
    } catch (error) {
      await this.reset().catch((failure: unknown) => {
        throw internal(`content: cannot cut ${this.path} back from ${before} bytes: ${messageOf(failure)}`, error)
      })
      throw explain(error)
    }
  }
}

function explain(error: unknown): unknown {
  return isDiskFull(error) ? internal(`content: cannot store a blob: ${messageOf(error)}`, error) : error
}
