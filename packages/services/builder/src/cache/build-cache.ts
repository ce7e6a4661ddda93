import { nowText, shortId } from '@berth/base'
import type { Database } from '@berth/database'
import type { ImageLayer } from '@berth/images'
import type { Digest } from '@berth/oci'
import type { Context } from '../context.ts'

/** The outcome of one step: a layer, or none when it changed nothing. */
export interface CachedStep {
  /** Digest over the step, what it stands on and what it takes in. */
  readonly key: string
  readonly layer: ImageLayer | undefined
  readonly description: string
  readonly createdAt: string
  readonly usedAt: string
  readonly uses: number
}

const migrations = [
  `CREATE TABLE build_cache (
     key TEXT PRIMARY KEY,
     used_at TEXT NOT NULL,
     uses INTEGER NOT NULL,
     doc TEXT NOT NULL
   ) STRICT`,
]

type Document = Pick<CachedStep, 'layer' | 'description' | 'createdAt'>

/** What builds did, by the digest of what they were asked to do. Kept across restarts; what it holds is not collected. */
export class BuildCache {
  readonly #database: Database
  readonly #steps = new Map<string, CachedStep>()
  readonly #touched = new Set<string>()
  #onPut: () => void = () => {}
  /** Keys that running builds rely on, with the number of them. */
  readonly #inUse = new Map<string, number>()

  constructor(database: Database) {
    this.#database = database
    database.migrate('builder', migrations)
    for (const row of database.prepare('SELECT key, used_at, uses, doc FROM build_cache').all()) {
      const doc = JSON.parse(String(row['doc'])) as Document
      const key = String(row['key'])
      this.#steps.set(key, { ...doc, key, usedAt: String(row['used_at']), uses: Number(row['uses']), layer: doc.layer })
    }
  }

  get(key: string): CachedStep | undefined {
    return this.#steps.get(key)
  }

  all(): CachedStep[] {
    return [...this.#steps.values()]
  }

  /** Bytes of all layers, those that images have too among them. */
  get layerBytes(): number {
    return this.all().reduce((sum, { layer }) => sum + (layer?.sizeBytes ?? 0), 0)
  }

  /** Calls `listener` after each step that is recorded. */
  onPut(listener: () => void): void {
    this.#onPut = listener
  }

  /** Records a step that was done just now, or when `createdAt` says. */
  put(
    key: string,
    layer: ImageLayer | undefined,
    { description, createdAt = nowText() }: { readonly description: string; readonly createdAt?: string },
  ): CachedStep {
    const now = nowText()
    const step = { key, layer, description, createdAt, usedAt: now, uses: 1 }
    const doc: Document = { layer, description, createdAt }
    this.#database
      .prepare('INSERT OR REPLACE INTO build_cache VALUES (?, ?, ?, ?)')
      .run(key, now, 1, JSON.stringify(doc))
    this.#steps.set(key, step)
    this.#onPut()
    return step
  }

  /** Says that a step was of use; `flush()` writes it down. */
  touch(key: string): void {
    const step = this.#steps.get(key)
    if (!step) return
    this.#steps.set(key, { ...step, usedAt: nowText(), uses: step.uses + 1 })
    this.#touched.add(key)
  }

  /** Writes down what was of use; what a crash loses of it is the order of eviction only. */
  flush(): void {
    const statement = this.#database.prepare('UPDATE build_cache SET used_at = ?, uses = ? WHERE key = ?')
    this.#database.transaction(() => {
      for (const key of this.#touched) {
        const step = this.#steps.get(key)
        if (step) statement.run(step.usedAt, step.uses, key)
      }
    })
    this.#touched.clear()
  }

  drop(keys: readonly string[]): void {
    const statement = this.#database.prepare('DELETE FROM build_cache WHERE key = ?')
    this.#database.transaction(() => {
      for (const key of keys) statement.run(key)
    })
    for (const key of keys) this.#steps.delete(key)
  }

  /** Keeps a step from being dropped until the result is disposed of. */
  hold(key: string): Disposable {
    this.#inUse.set(key, (this.#inUse.get(key) ?? 0) + 1)
    return {
      [Symbol.dispose]: () => {
        const left = (this.#inUse.get(key) ?? 1) - 1
        if (left > 0) this.#inUse.set(key, left)
        else this.#inUse.delete(key)
      },
    }
  }

  isHeld(key: string): boolean {
    return this.#inUse.has(key)
  }

  /** What must not be collected. */
  roots(): { readonly blobs: ReadonlySet<Digest>; readonly chainIds: ReadonlySet<Digest> } {
    const layers = this.all().flatMap(({ layer }) => layer ?? [])
    return {
      blobs: new Set(layers.map(({ descriptor }) => descriptor.digest)),
      chainIds: new Set(layers.map(({ chainId }) => chainId)),
    }
  }
}

/** Whether a step is known, with its layer. */
export function isCachedHere({ cache, storage }: Pick<Context, 'cache' | 'storage'>, key: string): boolean {
  const known = cache.get(key)
  if (!known?.layer) return known !== undefined
  const { chainId, descriptor } = known.layer
  return storage.snapshots.has(chainId) && storage.content.info(descriptor.digest) !== undefined
}

/** How a record is called towards users. */
export const cacheId = ({ key }: Pick<CachedStep, 'key'>): string => shortId(key.slice('sha256:'.length)).slice(0, 25)
