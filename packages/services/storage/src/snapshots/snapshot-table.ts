import type { Database, Migration } from '@berth/database'
import { type Digest, parseDigest } from '@berth/oci'

/** A committed snapshot: one layer on its parent, never written again. */
export interface CommittedSnapshot {
  /** Names its directory; never used twice. */
  readonly number: number
  readonly chainId: Digest
  readonly diffId: Digest
  readonly parent: Digest | undefined
  readonly sizeBytes: number
  readonly createdMs: number
  /** The boot during which its files may not have reached the disk; undefined once they have. */
  readonly unsyncedBoot: string | undefined
}

/** A snapshot that its owner writes to. */
export interface ActiveSnapshot {
  readonly number: number
  readonly key: string
  readonly parent: Digest | undefined
}

const migrations: readonly Migration[] = [
  `CREATE TABLE committed_snapshot (
     number INTEGER PRIMARY KEY,
     chain_id TEXT NOT NULL UNIQUE,
     diff_id TEXT NOT NULL,
     parent TEXT,
     size_bytes INTEGER NOT NULL,
     created_ms INTEGER NOT NULL,
     unsynced_boot TEXT
   ) STRICT;
   CREATE TABLE active_snapshot (number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, parent TEXT) STRICT;
   CREATE TABLE snapshot_number (last INTEGER NOT NULL) STRICT;
   INSERT INTO snapshot_number VALUES (0);`,
]

/** The snapshots' rows, kept in memory too: looking one up is part of every container's start. */
export class SnapshotTable {
  readonly committed = new Map<Digest, CommittedSnapshot>()
  readonly active = new Map<string, ActiveSnapshot>()
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
    database.migrate('snapshots', migrations)
    for (const row of database.prepare('SELECT * FROM committed_snapshot').all()) {
      const parent = row['parent'] === null ? undefined : parseDigest(String(row['parent']))
      const snapshot = {
        number: Number(row['number']),
        chainId: parseDigest(String(row['chain_id'])),
        diffId: parseDigest(String(row['diff_id'])),
        parent,
        sizeBytes: Number(row['size_bytes']),
        createdMs: Number(row['created_ms']),
        unsyncedBoot: row['unsynced_boot'] === null ? undefined : String(row['unsynced_boot']),
      }
      this.committed.set(snapshot.chainId, snapshot)
    }
    for (const row of database.prepare('SELECT * FROM active_snapshot').all()) {
      const parent = row['parent'] === null ? undefined : parseDigest(String(row['parent']))
      this.active.set(String(row['key']), { number: Number(row['number']), key: String(row['key']), parent })
    }
  }

  /** A number that no snapshot ever had. */
  nextNumber(): number {
    const statement = this.#database.prepare('UPDATE snapshot_number SET last = last + 1 RETURNING last')
    return Number(statement.get()?.['last'])
  }

  /** Adds the row and does `work` in one transaction: neither stays without the other. */
  insertCommitted(snapshot: CommittedSnapshot, work: () => void): void {
    this.#database.transaction(() => {
      this.#insertCommitted(snapshot)
      work()
    })
    this.committed.set(snapshot.chainId, snapshot)
  }

  #insertCommitted(snapshot: CommittedSnapshot): void {
    const { number, chainId, diffId, parent, sizeBytes, createdMs, unsyncedBoot } = snapshot
    this.#database
      .prepare('INSERT INTO committed_snapshot VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(number, chainId, diffId, parent ?? null, sizeBytes, createdMs, unsyncedBoot ?? null)
  }

  /** An active snapshot's row becomes a committed one's, its number and so its directory stay. */
  commitActive(key: string, snapshot: CommittedSnapshot): void {
    this.#database.transaction(() => {
      this.#database.prepare('DELETE FROM active_snapshot WHERE key = ?').run(key)
      this.#insertCommitted(snapshot)
    })
    this.active.delete(key)
    this.committed.set(snapshot.chainId, snapshot)
  }

  insertActive(snapshot: ActiveSnapshot, work: () => void): void {
    const { number, key, parent } = snapshot
    this.#database.transaction(() => {
      this.#database.prepare('INSERT INTO active_snapshot VALUES (?, ?, ?)').run(number, key, parent ?? null)
      work()
    })
    this.active.set(key, snapshot)
  }

  deleteCommitted(chainId: Digest, work: () => void): void {
    this.#database.transaction(() => {
      this.#database.prepare('DELETE FROM committed_snapshot WHERE chain_id = ?').run(chainId)
      work()
    })
    this.committed.delete(chainId)
  }

  deleteActive(key: string, work: () => void): void {
    this.#database.transaction(() => {
      this.#database.prepare('DELETE FROM active_snapshot WHERE key = ?').run(key)
      work()
    })
    this.active.delete(key)
  }

  /** Records that the files of these snapshots are on the disk. */
  markSynced(chainIds: readonly Digest[]): void {
    const statement = this.#database.prepare('UPDATE committed_snapshot SET unsynced_boot = NULL WHERE chain_id = ?')
    this.#database.transaction(() => {
      for (const chainId of chainIds) statement.run(chainId)
    })
    for (const chainId of chainIds) {
      const snapshot = this.committed.get(chainId)
      if (snapshot) this.committed.set(chainId, { ...snapshot, unsyncedBoot: undefined })
    }
  }

  hasChild(chainId: Digest): boolean {
    const isChild = ({ parent }: { readonly parent: Digest | undefined }) => parent === chainId
    return this.committed.values().some(isChild) || this.active.values().some(isChild)
  }

  /** A committed snapshot and its ancestors, the topmost first; undefined when one of them is missing. */
  lineage(chainId: Digest | undefined): CommittedSnapshot[] | undefined {
    const line: CommittedSnapshot[] = []
    for (let next = chainId; next !== undefined;) {
      const snapshot = this.committed.get(next)
      if (!snapshot) return undefined
      line.push(snapshot)
      next = snapshot.parent
    }
    return line
  }
}
