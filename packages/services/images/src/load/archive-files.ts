import { readTar, sanitizeEntryPath, type TarMember } from '@berth/archive'
import { invalid } from '@berth/base'
import { type Digest, isDigest } from '@berth/oci'
import type { ContentStore, IngestedBlob, IngestOptions } from '@berth/storage'
import { posix } from 'node:path'
import type { ImageLease } from '../reclaimer.ts'

/** A blob that an archive brought. */
export interface ArchivedBlob {
  readonly digest: Digest
  readonly sizeBytes: number
}

type Held = { readonly bytes: Buffer }
type File = ArchivedBlob | Held

/** Documents are held until the archive has ended; layers are too large for that. */
const maxHeldFileBytes = 256 * 1024
const maxHeldBytes = 32 * 1024 * 1024
/** Less is hashed faster than a thread is told of it. */
const leastStagedBytes = 4 * 1024 * 1024
const maxFinishing = 2
const maxEntries = 100_000
const maxLinks = 40

/**
 * The files of an image archive, read once as they stream by, in whatever order: blobs go to the content store, small
 * documents stay in memory. Nothing is written by a name of the archive.
 */
export class ArchiveFiles {
  readonly #content: ContentStore
  readonly #lease: ImageLease
  readonly #files = new Map<string, File>()
  readonly #links = new Map<string, string>()
  /** Blobs that are read but not yet known to be right. */
  readonly #finishing = new Set<Promise<void>>()
  #heldBytes = 0
  #entries = 0

  constructor(content: ContentStore, lease: ImageLease) {
    this.#content = content
    this.#lease = lease
  }

  /** Reads the tar to its end. Throws `invalid` for what is damaged, or has a blob that is not what its name says. */
  async read(tar: AsyncIterable<Uint8Array>): Promise<void> {
    try {
      for await (const member of readTar(tar)) {
        if (++this.#entries > maxEntries) throw invalid(`image archive: more than ${maxEntries} entries`)
        await this.#add(member)
      }
      await Promise.all(this.#finishing)
    } finally {
      await Promise.allSettled(this.#finishing)
    }
  }

  has(path: string): boolean {
    return this.#find(path) !== undefined
  }

  paths(): string[] {
    return [...this.#files.keys(), ...this.#links.keys()]
  }

  /** A document; `invalid` when it is absent or larger than `maxBytes`. */
  async document(path: string, maxBytes: number): Promise<Buffer> {
    const file = this.#require(path)
    if ('bytes' in file) {
      if (file.bytes.length > maxBytes) throw invalid(`image archive: ${path} is larger than ${maxBytes} bytes`)
      return file.bytes
    }
    return await this.#content.read(file.digest, maxBytes)
  }

  /** A file as a blob in the store. */
  async blob(path: string): Promise<ArchivedBlob> {
    const file = this.#require(path)
    return 'bytes' in file ? this.#keep(await this.#content.put(file.bytes)) : file
  }

  #require(path: string): File {
    const file = this.#find(path)
    if (!file) throw invalid(`image archive: ${JSON.stringify(path.slice(0, 300))}: no such file`)
    return file
  }

  /** Follows links by name within the archive; a `..` stops at its root. */
  #find(path: string): File | undefined {
    let at = withinRoot(path)
    for (let i = 0; i < maxLinks; i++) {
      const file = this.#files.get(at)
      const link = this.#links.get(at)
      if (file || link === undefined) return file
      at = link
    }
    return undefined
  }

  async #add({ entry, content }: TarMember): Promise<void> {
    const path = sanitizeEntryPath(entry.path)
    this.#files.delete(path)
    this.#links.delete(path)
    if (entry.type === 'symlink') {
      this.#links.set(
        path,
        withinRoot(posix.isAbsolute(entry.linkPath) ? entry.linkPath : `${posix.dirname(path)}/${entry.linkPath}`),
      )
    } else if (entry.type === 'hardlink') {
      this.#links.set(path, withinRoot(entry.linkPath))
    } else if (entry.type === 'file') {
      if (entry.extents) throw invalid(`image archive: ${path} is a sparse file`)
      this.#files.set(path, await this.#take(path, entry.sizeBytes, content()))
    }
  }

  /** Verified by a thread while the archive is read on; `path` is known when that is done. */
  async #stage(path: string, options: IngestOptions, content: AsyncIterable<Buffer>): Promise<File> {
    while (this.#finishing.size >= maxFinishing) await Promise.race(this.#finishing)
    const staged = await this.#content.stage(content, options)
    const unknown: Held = { bytes: Buffer.alloc(0) }
    const finishing = staged.finish().then((blob) => {
      this.#finishing.delete(finishing)
      // Another member of this name may have come since.
      if (this.#files.get(path) === unknown) this.#files.set(path, this.#keep(blob))
      else this.#keep(blob)
    })
    finishing.catch(() => {})
    this.#finishing.add(finishing)
    return unknown
  }

  async #take(path: string, sizeBytes: number, content: AsyncIterable<Buffer>): Promise<File> {
    const expected = digestInPath(path)
    if (expected) return await this.#takeBlob(path, { expected, sizeBytes }, content)
    if (sizeBytes > maxHeldFileBytes || this.#heldBytes + sizeBytes > maxHeldBytes) {
      return await this.#ingest(path, { sizeBytes }, content)
    }
    this.#heldBytes += sizeBytes
    return { bytes: Buffer.concat(await Array.fromAsync(content)) }
  }

  /** A blob that is here already was verified when it came: the archive's copy is passed over. */
  async #takeBlob(
    path: string,
    options: { readonly expected: Digest; readonly sizeBytes: number },
    content: AsyncIterable<Buffer>,
  ): Promise<File> {
    const { expected: digest, sizeBytes } = options
    if (this.#content.holds({ digest, size: sizeBytes })) return this.#keep({ digest, sizeBytes, isNew: false })
    return await this.#ingest(path, options, content)
  }

  async #ingest(
    path: string,
    options: IngestOptions & { readonly sizeBytes: number },
    content: AsyncIterable<Buffer>,
  ): Promise<File> {
    if (options.sizeBytes >= leastStagedBytes) return await this.#stage(path, options, content)
    return this.#keep(await this.#content.ingest(content, options))
  }

  #keep(blob: IngestedBlob): ArchivedBlob {
    this.#lease.broughtBlob(blob)
    return blob
  }
}

/** `blobs/sha256/<hex>`: the place of a blob in an OCI layout. */
function digestInPath(path: string): Digest | undefined {
  const [, algorithm, hex] = /^blobs\/([a-z0-9]+)\/([a-f0-9]+)$/.exec(path) ?? []
  const digest = `${algorithm}:${hex}`
  return isDigest(digest) ? digest : undefined
}

const withinRoot = (path: string): string => posix.normalize(`/${path}`).slice(1)
