import { type KeyedLock, type Logger, messageOf } from '@berth/base'
import { algorithmOf, type Digest, Digester } from '@berth/oci'
import type { Repository } from '@berth/registry'
import type { ContentStore } from '@berth/storage'
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobSource } from '../http/blob-source.ts'
import type { RegistryStore } from '../store/registry-store.ts'
import type { StorageLimit } from '../uploads/storage-limit.ts'
import { GrowingBlob } from './growing-blob.ts'

export interface BlobDownloadsOptions {
  readonly directory: string
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly locks: KeyedLock<Digest>
  readonly limit: StorageLimit
  readonly logger: Logger
}

export interface WantedBlob {
  readonly name: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** Tries of one blob; each goes on where the last broke off. */
const mostTries = 4

/** Blobs that come from upstream: each once, however many wait for it. */
export class BlobDownloads {
  readonly #options: BlobDownloadsOptions
  readonly #coming = new Map<string, Promise<GrowingBlob>>()

  constructor(options: BlobDownloadsOptions) {
    this.#options = options
  }

  async open(wanted: WantedBlob, repository: Repository): Promise<BlobSource> {
    const key = `${wanted.name}@${wanted.digest}`
    const coming = this.#coming.get(key) ?? this.#begin(key, wanted, repository)
    return (await coming).reader()
  }

  #begin(key: string, wanted: WantedBlob, repository: Repository): Promise<GrowingBlob> {
    const path = join(this.#options.directory, randomBytes(12).toString('hex'))
    const begun = GrowingBlob.create(path, wanted.sizeBytes)
    this.#coming.set(key, begun)
    const forget = () => void this.#coming.delete(key)
    // It goes on when the first who asked is gone: others will ask again.
    begun.then((blob) => this.#bring(blob, wanted, repository).finally(forget), forget)
    return begun
  }

  async #bring(blob: GrowingBlob, wanted: WantedBlob, repository: Repository): Promise<void> {
    const { limit, logger } = this.#options
    try {
      await fetchInto(blob, wanted, repository, limit)
      await this.#keep(blob, wanted)
      await blob.finish()
    } catch (error) {
      limit.give(blob.written)
      logger.warn({ name: wanted.name, digest: wanted.digest, error: messageOf(error) }, 'a blob did not come')
      await blob.fail(error)
    }
  }

  #keep(blob: GrowingBlob, { name, digest }: WantedBlob): Promise<void> {
    const { locks, content, store, limit } = this.#options
    return locks.run(digest, async () => {
      await blob.sync()
      const { isNew } = await content.adopt(blob.path, digest)
      if (!isNew) limit.give(blob.sizeBytes)
      store.linkBlob(name, digest)
    })
  }
}

/** Opens the folder of downloads; what a crash has left of them is deleted. */
export async function openBlobDownloads(options: BlobDownloadsOptions): Promise<BlobDownloads> {
  await rm(options.directory, { recursive: true, force: true })
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  return new BlobDownloads(options)
}

async function fetchInto(
  blob: GrowingBlob,
  { digest, sizeBytes }: WantedBlob,
  repository: Repository,
  limit: StorageLimit,
): Promise<void> {
  const digester = new Digester(algorithmOf(digest))
  for (let tries = 1; blob.written < sizeBytes; tries++) {
    const before = blob.written
    try {
      const { chunks, start } = await repository.openBlob({ digest, size: sizeBytes }, { start: before })
      if (start !== before) throw new Error('the upstream does not go on where it broke off')
      for await (const chunk of chunks) {
        if (blob.written + chunk.length > sizeBytes) throw new Error('the upstream sends more than the blob has')
        limit.take(chunk.length)
        digester.update(chunk)
        await blob.append(chunk)
      }
      if (blob.written < sizeBytes) throw new Error('the upstream broke off')
    } catch (error) {
      if (tries >= mostTries || blob.written === before) throw error
    }
  }
  const actual = digester.digest()
  if (actual !== digest) throw new Error(`the upstream sent ${actual}`)
}
