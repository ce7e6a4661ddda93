import { internal, invalid, notFound } from '@berth/base'
import { chainIds, type Digest } from '@berth/oci'
import { chmodSync, existsSync, mkdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import type { UnpackResult } from '../layers/unpack-layer.ts'
import type { LayerSource } from '../snapshots.ts'
import type { SnapshotContext } from './context.ts'
import { copyRootOwner } from './overlay-driver.ts'
import { freshName } from './sweep.ts'

/** What `unpack()` tells. */
export interface Unpacked {
  readonly chainId: Digest
  readonly diffId: Digest
  readonly sizeBytes: number
}

interface Work {
  readonly promise: Promise<Unpacked>
  /** Known when the layer's diff id is. */
  readonly chainId: Digest | undefined
  readonly abort: AbortController
  waiting: number
}

/**
 * Unpacks layers into committed snapshots, each chain id once at a time. A layer is unpacked in a temporary directory,
 * then renamed to its own in the transaction that writes its row: a crash leaves it whole or not at all.
 */
export class Unpacker {
  readonly #context: SnapshotContext
  readonly #work = new Map<string, Work>()

  constructor(context: SnapshotContext) {
    this.#context = context
  }

  /** True while a layer is being unpacked on `parent`. */
  isParent(parent: Digest): boolean {
    return this.#work.keys().some((key) => key.startsWith(`${parent} `))
  }

  /** `parent` may itself still be on its way, so that the layers of an image can be unpacked side by side. */
  async unpack(parent: Digest | undefined, layer: LayerSource, signal?: AbortSignal): Promise<Unpacked> {
    signal?.throwIfAborted()
    const existing = layer.diffId && this.#context.table.committed.get(chainOf(parent, layer.diffId))
    if (existing) return existing
    const key = `${parent ?? ''} ${layer.diffId ?? layer.path}`
    const work = this.#work.get(key) ?? this.#begin(key, parent, layer)
    return await this.#join(work, signal)
  }

  /** Work under way ends with an error. */
  async stop(): Promise<void> {
    const works = [...this.#work.values()]
    for (const { abort } of works) abort.abort(internal('the storage is closing'))
    await Promise.allSettled(works.map(({ promise }) => promise))
  }

  #begin(key: string, parent: Digest | undefined, layer: LayerSource): Work {
    const abort = new AbortController()
    const promise = this.#run(parent, layer, abort.signal).finally(() => this.#work.delete(key))
    promise.catch(() => {})
    const chainId = layer.diffId && chainOf(parent, layer.diffId)
    const work = { promise, chainId, abort, waiting: 0 }
    this.#work.set(key, work)
    return work
  }

  /** Waits for shared work; the last one who loses interest stops it. */
  async #join(work: Work, signal: AbortSignal | undefined): Promise<Unpacked> {
    work.waiting++
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    const leave = () => {
      if (--work.waiting === 0) work.abort.abort(signal?.reason)
      reject(signal?.reason as Error)
    }
    signal?.addEventListener('abort', leave, { once: true })
    try {
      return await Promise.race([work.promise, aborted])
    } finally {
      signal?.removeEventListener('abort', leave)
    }
  }

  async #run(parent: Digest | undefined, layer: LayerSource, signal: AbortSignal): Promise<Unpacked> {
    const { directories, fault, trash } = this.#context
    const temporary = join(directories.temporary, freshName('unpack'))
    const ready = this.#parentReady(parent)
    ready.catch(() => {})
    if (this.#context.driver.copiesParent) await ready
    mkdirSync(join(temporary, 'fs'), { recursive: true })
    chmodSync(join(temporary, 'fs'), 0o755)
    try {
      const result = await this.#unpackInto(join(temporary, 'fs'), parent, layer, signal)
      await ready
      signal.throwIfAborted()
      fault('unpack: unpacked')
      return this.#commit(temporary, parent, result) ?? this.#discard(temporary, parent, result)
    } catch (error) {
      trash.take(temporary, freshName('unpack'))
      throw error
    }
  }

  /** Resolves when `parent` is committed; `notFound` when nothing will commit it. */
  async #parentReady(parent: Digest | undefined): Promise<void> {
    const { table } = this.#context
    if (parent === undefined || table.committed.has(parent)) return
    await this.#work.values().find(({ chainId }) => chainId === parent)?.promise
    if (!table.committed.has(parent)) throw notFound(`snapshot ${parent} does not exist`)
  }

  async #unpackInto(
    target: string,
    parent: Digest | undefined,
    layer: LayerSource,
    signal: AbortSignal,
  ): Promise<UnpackResult> {
    const { worker, driver, table, directories, limits } = this.#context
    const below = parent === undefined ? undefined : table.committed.get(parent)
    const whiteouts = parent === undefined ? ('none' as const) : driver.whiteouts
    const copied = driver.copiesParent && below ? { parent: directories.files(below.number) } : {}
    const { path: source, movedTo, blobDigest } = layer
    const task = { source, movedTo, target, whiteouts, blobDigest, limits, ...copied }
    const result = await worker.run('unpack', task, signal)
    if (layer.diffId === undefined || layer.diffId === result.diffId) return result
    throw invalid(`layer ${layer.path}: its content has the diff id ${result.diffId}, expected ${layer.diffId}`)
  }

  /** Undefined when the chain id was committed meanwhile, by a layer whose diff id was not known. */
  #commit(temporary: string, parent: Digest | undefined, result: UnpackResult): Unpacked | undefined {
    const { table, directories, fault, bootId, onCommit } = this.#context
    const chainId = chainOf(parent, result.diffId)
    if (table.committed.has(chainId)) return undefined
    this.#inheritRoot(join(temporary, 'fs'), parent, result)
    const number = table.nextNumber()
    const { diffId, sizeBytes } = result
    const row = { number, chainId, diffId, parent, sizeBytes, createdMs: Date.now(), unsyncedBoot: bootId }
    try {
      table.insertCommitted(row, () => {
        renameSync(temporary, directories.of(number))
        fault('unpack: renamed')
      })
    } catch (error) {
      if (existsSync(directories.of(number))) renameSync(directories.of(number), temporary)
      throw error
    }
    onCommit()
    return { chainId, diffId, sizeBytes }
  }

  #discard(temporary: string, parent: Digest | undefined, { diffId, sizeBytes }: UnpackResult): Unpacked {
    this.#context.trash.take(temporary, freshName('unpack'))
    return { chainId: chainOf(parent, diffId), diffId, sizeBytes }
  }

  /** A layer that says nothing of the root leaves it as it is beneath. */
  #inheritRoot(target: string, parent: Digest | undefined, { setsRoot }: UnpackResult): void {
    const { table, directories } = this.#context
    const below = parent === undefined ? undefined : table.committed.get(parent)
    if (setsRoot || !below) return
    copyRootOwner(directories.files(below.number), target)
  }
}

/** The chain id of a layer on `parent`. */
export const chainOf = (parent: Digest | undefined, diffId: Digest): Digest =>
  parent === undefined ? diffId : (chainIds([parent, diffId])[1] ?? diffId)
