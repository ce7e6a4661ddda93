import { codeOf, fault, type KeyedLock, type Logger } from '@berth/base'
import type { Digest } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import { stat } from 'node:fs/promises'
import type { RegistryStore } from './store/registry-store.ts'
import type { StorageLimit } from './uploads/storage-limit.ts'
import type { Uploads } from './uploads/uploads.ts'

export interface CollectorOptions {
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly uploads: Uploads
  readonly locks: KeyedLock<Digest>
  readonly limit: StorageLimit
  readonly logger: Logger
  /** What is younger is left alone: its manifest may be on its way. */
  readonly graceMs: number
  /** Uploads on which nobody worked for so long are given up. */
  readonly uploadMs: number
  readonly deletesUntagged: boolean
  /** Of a cache: what nobody asked for so long is forgotten. */
  readonly unusedMs?: number
}

export interface Collected {
  readonly uploads: number
  readonly manifests: number
  readonly links: number
  readonly blobs: number
  readonly bytes: number
}

/** Frees what no manifest needs: uploads given up, blobs without a manifest, bytes without a repository. */
export async function collectGarbage(options: CollectorOptions): Promise<Collected> {
  const { store, uploads, graceMs, uploadMs, deletesUntagged, logger } = options
  const now = Date.now()
  const expired = await uploads.expire(now - uploadMs)
  const unused = options.unusedMs === undefined ? 0 : store.forgetUnusedManifests(now - options.unusedMs)
  const manifests = unused + (deletesUntagged ? store.forgetUntaggedManifests(now - graceMs) : 0)
  const links = store.forgetUnneededBlobs(now - graceMs)
  fault('registry: garbage forgotten')
  const freed = await freeBytes(options, now - graceMs)
  const collected = { uploads: expired, manifests, links, ...freed }
  if (Object.values(collected).some((count) => count > 0)) logger.info(collected, 'collected garbage')
  return collected
}

async function freeBytes(options: CollectorOptions, olderThanMs: number): Promise<{ blobs: number; bytes: number }> {
  let blobs = 0
  let bytes = 0
  for (const { digest, sizeBytes } of options.content.list()) {
    if (options.store.isHeld(digest) || !(await freeBlob(options, digest, olderThanMs))) continue
    blobs++
    bytes += sizeBytes
  }
  return { blobs, bytes }
}

/** Under the lock nobody links the blob between the question and the removal. */
function freeBlob(
  { store, content, locks, limit }: CollectorOptions,
  digest: Digest,
  olderThanMs: number,
): Promise<boolean> {
  return locks.run(digest, async () => {
    if (store.isHeld(digest)) return false
    const modifiedMs = await modified(content.pathOf(digest))
    if (modifiedMs === undefined || modifiedMs >= olderThanMs) return false
    const sizeBytes = content.info(digest)?.sizeBytes ?? 0
    await content.remove(digest)
    limit.give(sizeBytes)
    return true
  })
}

async function modified(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mtimeMs
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Collects now and then until it is disposed; one run at a time. */
export function collectRegularly(options: CollectorOptions, intervalMs: number): AsyncDisposable {
  let running: Promise<unknown> = Promise.resolve()
  let isRunning = false
  const run = () => {
    if (isRunning) return
    isRunning = true
    running = collectGarbage(options)
      .catch((error: unknown) => options.logger.error({ error: String(error) }, 'garbage was not collected'))
      .finally(() => (isRunning = false))
  }
  const timer = setInterval(run, intervalMs).unref()
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer)
      await running
    },
  }
}
