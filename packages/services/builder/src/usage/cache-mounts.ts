import { nowText } from '@berth/base'
import type { Database } from '@berth/database'
import { existsSync } from 'node:fs'
import { rename } from 'node:fs/promises'
import { join } from 'node:path'

/** A directory of `RUN --mount=type=cache`. */
export interface CacheMount {
  /** Hex digits of a digest. */
  readonly name: string
  readonly description: string
  readonly createdAt: string
  readonly usedAt: string
  readonly uses: number
}

const migrations = [
  `CREATE TABLE build_mounts (
     name TEXT PRIMARY KEY,
     doc TEXT NOT NULL
   ) STRICT`,
]

/** The cache mounts of all builds. Owns their directories. */
export class CacheMounts {
  readonly #database: Database
  readonly #root: string
  readonly #mounts = new Map<string, CacheMount>()
  /** With the number of uses that it was measured after; -1 while it was written to. */
  readonly #measured = new Map<string, { readonly uses: number; readonly sizeBytes: number }>()
  /** How many RUNs have each mounted. */
  readonly #held = new Map<string, number>()

  /** `root` holds a directory for each. */
  constructor(database: Database, root: string) {
    this.#database = database
    this.#root = root
    database.migrate('builder_mounts', migrations)
    for (const row of database.prepare('SELECT name, doc FROM build_mounts').all()) {
      const name = String(row['name'])
      this.#mounts.set(name, { ...(JSON.parse(String(row['doc'])) as Omit<CacheMount, 'name'>), name })
    }
  }

  all(): CacheMount[] {
    return [...this.#mounts.values()].filter(({ name }) => existsSync(this.directoryOf(name)))
  }

  directoryOf(name: string): string {
    return join(this.#root, name)
  }

  isHeld(name: string): boolean {
    return this.#held.has(name)
  }

  /** Keeps a mount from being dropped until the result is disposed of; it counts as used from now on. */
  hold(name: string, description: string): Disposable {
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1)
    const known = this.#mounts.get(name)
    const usedAt = nowText()
    const createdAt = known?.createdAt ?? usedAt
    this.#put({ name, description, createdAt, usedAt, uses: (known?.uses ?? 0) + 1 })
    return {
      [Symbol.dispose]: () => {
        const left = (this.#held.get(name) ?? 1) - 1
        if (left > 0) this.#held.set(name, left)
        else this.#held.delete(name)
      },
    }
  }

  /** Measures those that were used since; `measure` resolves to the bytes in a directory. */
  async measure(measure: (directory: string) => Promise<number>): Promise<void> {
    for (const { name, uses } of this.all()) {
      if (this.#measured.get(name)?.uses === uses) continue
      const sizeBytes = await measure(this.directoryOf(name))
      this.#measured.set(name, { uses: this.isHeld(name) ? -1 : uses, sizeBytes })
    }
  }

  /** By the last measure. */
  sizeOf(name: string): number {
    return this.#measured.get(name)?.sizeBytes ?? 0
  }

  /** Forgets mounts that nobody has mounted, and moves their directories into `trash`; returns where they are. */
  async drop(names: readonly string[], trash: string): Promise<string[]> {
    const moved: string[] = []
    for (const name of names) {
      if (this.isHeld(name)) continue
      const target = join(trash, `mount-${name}-${Date.now()}`)
      this.#mounts.delete(name)
      this.#measured.delete(name)
      this.#database.prepare('DELETE FROM build_mounts WHERE name = ?').run(name)
      await rename(this.directoryOf(name), target)
      moved.push(target)
    }
    return moved
  }

  #put({ name, ...doc }: CacheMount): void {
    this.#mounts.set(name, { ...doc, name })
    this.#database.prepare('INSERT OR REPLACE INTO build_mounts VALUES (?, ?)').run(name, JSON.stringify(doc))
  }
}
