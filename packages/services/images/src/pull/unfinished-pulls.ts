import type { Database } from '@berth/database'
import type { Digest } from '@berth/oci'
import { keptMs } from '@berth/storage'
import type { ImageRoots } from '../reclaimer.ts'

const migrations = [
  `CREATE TABLE image_unfinished (
     digest TEXT NOT NULL,
     kind TEXT NOT NULL,
     since INTEGER NOT NULL,
     PRIMARY KEY (digest, kind)
   ) STRICT`,
]

/** What a pull brings: blobs, and the layers that it unpacks by their chain ids. */
export interface Brought {
  readonly blobs: readonly Digest[]
  readonly chainIds: readonly Digest[]
}

export interface UnfinishedPull {
  /** Writes down what is about to come. Returns what nobody came back for within a day: it is kept no longer. */
  note(brought: Brought): Brought
  /** Nothing of it is kept any more but by what refers to it. */
  settle(): void
}

/**
 * What pulls are about to bring, written down before it comes and struck out when an image has it or nobody shall. What
 * is left was cut short, by a crash for instance: for a day it is kept for the pull that comes to its end.
 */
export class UnfinishedPulls {
  readonly #database: Database
  readonly #now: () => number

  constructor(database: Database, now: () => number = Date.now) {
    this.#database = database
    this.#now = now
    database.migrate('image_unfinished', migrations)
  }

  open(): UnfinishedPull {
    let noted: Brought = { blobs: [], chainIds: [] }
    return {
      note: (brought) => {
        noted = brought
        return this.#begin(brought)
      },
      settle: () => this.#end(noted),
    }
  }

  /** What must stay for now. */
  roots(): ImageRoots {
    const rows = this.#database.prepare('SELECT digest, kind FROM image_unfinished WHERE since > ?').all(this.#oldest())
    return { blobs: new Set(ofKind(rows, 'blob')), chainIds: new Set(ofKind(rows, 'chain')) }
  }

  /** Strikes out what nobody came back for within a day, and returns it. */
  expire(): Brought {
    const expired = this.#database
      .prepare('DELETE FROM image_unfinished WHERE since <= ? RETURNING digest, kind')
      .all(this.#oldest())
    return { blobs: ofKind(expired, 'blob'), chainIds: ofKind(expired, 'chain') }
  }

  #begin({ blobs, chainIds }: Brought): Brought {
    const insert = this.#database.prepare('INSERT OR REPLACE INTO image_unfinished VALUES (?, ?, ?)')
    return this.#database.transaction(() => {
      const expired = this.expire()
      for (const digest of blobs) insert.run(digest, 'blob', this.#now())
      for (const digest of chainIds) insert.run(digest, 'chain', this.#now())
      return expired
    })
  }

  /** Also what an earlier pull has left of the same. */
  #end({ blobs, chainIds }: Brought): void {
    if (blobs.length === 0) return
    const strike = this.#database.prepare('DELETE FROM image_unfinished WHERE digest = ? AND kind = ?')
    this.#database.transaction(() => {
      for (const digest of blobs) strike.run(digest, 'blob')
      for (const digest of chainIds) strike.run(digest, 'chain')
    })
  }

  #oldest(): number {
    return this.#now() - keptMs
  }
}

const ofKind = (rows: readonly Readonly<Record<string, unknown>>[], kind: string): Digest[] =>
  rows.filter((row) => row['kind'] === kind).map((row) => row['digest'] as Digest)
