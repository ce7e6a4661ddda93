import { fault } from '@berth/base'
import { algorithmOf, type Digest, Digester } from '@berth/oci'
import type { ContentStore, IngestedBlob } from '@berth/storage'
import { randomBytes } from 'node:crypto'
import { createReadStream, statSync } from 'node:fs'
import { mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { digestInvalid, RegistryError, uploadUnknown } from '../http/errors.ts'
import type { RegistryStore } from '../store/registry-store.ts'
import { appendTo } from './append.ts'
import type { StorageLimit } from './storage-limit.ts'

export interface UploadsOptions {
  readonly directory: string
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly limit: StorageLimit
  readonly maxBlobBytes: number
  /** Uploads that may be under way at one time, at rest or not. */
  readonly maxUploads: number
}

/** What a request adds to an upload. */
export interface Chunk {
  readonly source: AsyncIterable<Uint8Array>
  /** Where the client believes that it begins; undefined: at the end of what is there. */
  readonly start?: number
  /** How long the client says that it is. */
  readonly sizeBytes?: number
}

/** An upload while one request works on it. Dispose it to let the next one in. */
export interface ClaimedUpload extends Disposable {
  readonly id: string
  /** How much of the blob is there. */
  readonly offset: number
  append(chunk: Chunk): Promise<void>
  /** Moves what is there into the content store; `DIGEST_INVALID` when it is something else, and then it is gone. */
  finish(digest: Digest): Promise<IngestedBlob>
  cancel(): Promise<void>
}

interface Upload {
  /** Of the first `offset` bytes; absent after a restart, until the file has been read again. */
  digester?: Digester
  offset: number
  /** Ends the request that holds it. */
  holder?: { readonly evict: () => void; readonly gone: Promise<void> }
}

/**
 * Blobs on their way in: a file each, which grows as chunks come. It survives restarts of the registry, and requests that
 * break off; what came before them stays, and the client asks how much that is.
 */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #uploads = new Map<string, Upload>()

  constructor(options: UploadsOptions) {
    this.#options = options
  }

  async begin(name: string): Promise<string> {
    const { store, maxUploads } = this.#options
    if (store.countUploads() >= maxUploads) {
      throw new RegistryError(429, 'TOOMANYREQUESTS', 'too many uploads are under way', {
        headers: { 'Retry-After': '10' },
      })
    }
    const id = randomBytes(16).toString('hex')
    await using file = await open(this.pathOf(id), 'wx', 0o600)
    await file.sync()
    store.addUpload({ id, name })
    this.#uploads.set(id, { digester: new Digester(), offset: 0 })
    return id
  }

  pathOf(id: string): string {
    return join(this.#options.directory, id)
  }

  /**
   * The upload for one request. A request that still holds it is ended by `evict`: its client has come back on another
   * connection. `BLOB_UPLOAD_UNKNOWN` when it is none of the repository's.
   */
  async claim(name: string, id: string, evict: () => void): Promise<ClaimedUpload> {
    if (!/^[0-9a-f]{32}$/.test(id) || this.#options.store.findUpload(id)?.name !== name) throw uploadUnknown()
    const upload = await this.#find(id)
    while (upload.holder) {
      upload.holder.evict()
      await upload.holder.gone
    }
    if (this.#uploads.get(id) !== upload) throw uploadUnknown()
    const { promise, resolve } = Promise.withResolvers<void>()
    upload.holder = { evict, gone: promise }
    return this.#claimed(id, upload, () => {
      delete upload.holder
      resolve()
    })
  }

  /** Deletes uploads on which nobody worked for so long, and files of which nothing is known. */
  async expire(olderThanMs: number): Promise<number> {
    let count = 0
    for (const id of await readdir(this.#options.directory)) {
      const found = await stat(this.pathOf(id)).catch(() => undefined)
      if (!found || found.mtimeMs >= olderThanMs || this.#uploads.get(id)?.holder) continue
      await this.#forget(id)
      count++
    }
    return count
  }

  #claimed(id: string, upload: Upload, release: () => void): ClaimedUpload {
    return {
      id,
      get offset() {
        return upload.offset
      },
      append: (chunk) => this.#append(id, upload, chunk),
      finish: (digest) => this.#finish(id, upload, digest),
      cancel: () => this.#forget(id),
      [Symbol.dispose]: release,
    }
  }

  async #find(id: string): Promise<Upload> {
    const known = this.#uploads.get(id)
    if (known) return known
    const { size } = await stat(this.pathOf(id)).catch(() => {
      throw uploadUnknown()
    })
    // Somebody else may have looked meanwhile.
    const upload = this.#uploads.get(id) ?? { offset: size }
    this.#uploads.set(id, upload)
    return upload
  }

  async #append(id: string, upload: Upload, { source, start, sizeBytes }: Chunk): Promise<void> {
    if (start !== undefined && start !== upload.offset) throw rangeInvalid(upload.offset)
    const { maxBlobBytes, limit } = this.#options
    upload.digester ??= await this.#digestOf(id, 'sha256', upload.offset)
    const { digester } = upload
    const before = upload.offset
    try {
      await appendTo(this.pathOf(id), upload.offset, source, (bytes) => {
        if (upload.offset + bytes.length > maxBlobBytes) throw tooLarge(maxBlobBytes)
        limit.take(bytes.length)
        digester.update(bytes)
        upload.offset += bytes.length
      })
    } catch (error) {
      // One that is too large never ends well, and would hold its place until it expires.
      if (error instanceof RegistryError) await this.#forget(id)
      // What is on disk and what was hashed may differ by the chunk that failed.
      else await this.#trim(id, upload)
      throw error
    }
    const received = upload.offset - before
    if (sizeBytes === undefined || sizeBytes === received) return
    throw new RegistryError(400, 'SIZE_INVALID', `the chunk has ${received} bytes, its Content-Range says ${sizeBytes}`)
  }

  async #trim(id: string, upload: Upload): Promise<void> {
    const { size } = await stat(this.pathOf(id))
    if (size === upload.offset) return
    const offset = Math.min(size, upload.offset)
    await truncate(this.pathOf(id), offset)
    this.#options.limit.give(upload.offset - offset)
    delete upload.digester
    upload.offset = offset
  }

  async #finish(id: string, upload: Upload, digest: Digest): Promise<IngestedBlob> {
    const actual = await this.#actualDigest(id, upload, algorithmOf(digest))
    if (actual !== digest) {
      await this.#forget(id)
      throw digestInvalid('provided digest did not match uploaded content', { digest, actual })
    }
    await sync(this.pathOf(id))
    const blob = await this.#options.content.adopt(this.pathOf(id), digest)
    fault('registry: blob moved')
    if (!blob.isNew) this.#options.limit.give(blob.sizeBytes)
    this.#uploads.delete(id)
    this.#options.store.removeUpload(id)
    return blob
  }

  async #actualDigest(id: string, upload: Upload, algorithm: string): Promise<Digest> {
    const ready = algorithm === 'sha256' ? upload.digester : undefined
    return (ready ?? (await this.#digestOf(id, algorithm, upload.offset))).digest()
  }

  async #digestOf(id: string, algorithm: string, sizeBytes: number): Promise<Digester> {
    const digester = new Digester(algorithm)
    if (sizeBytes === 0) return digester
    const options = { end: sizeBytes - 1, highWaterMark: 1024 * 1024 }
    for await (const bytes of createReadStream(this.pathOf(id), options)) digester.update(bytes as Buffer)
    return digester
  }

  async #forget(id: string): Promise<void> {
    const sizeBytes = this.#uploads.get(id)?.offset ?? sizeOf(this.pathOf(id))
    this.#uploads.delete(id)
    this.#options.store.removeUpload(id)
    await rm(this.pathOf(id), { force: true })
    this.#options.limit.give(sizeBytes)
  }
}

/** Opens the folder of uploads; what a crash has left of them goes on where it was. */
export async function openUploads(options: UploadsOptions): Promise<Uploads> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  for (const id of await readdir(options.directory)) options.limit.count(sizeOf(join(options.directory, id)))
  return new Uploads(options)
}

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

async function sync(path: string): Promise<void> {
  await using file = await open(path, 'r+')
  await file.datasync()
}

/** Of so many bytes, as the `Range` header of an upload has it. */
export const uploadedRange = (offset: number): string => `0-${Math.max(0, offset - 1)}`

const rangeInvalid = (offset: number): RegistryError =>
  new RegistryError(416, 'BLOB_UPLOAD_INVALID', `the chunk does not begin at byte ${offset}`, {
    headers: { Range: uploadedRange(offset) },
  })

export const tooLarge = (maxBytes: number): RegistryError =>
  new RegistryError(413, 'SIZE_INVALID', `more than the ${maxBytes} bytes that a blob may have`)
