import type { Database } from '@berth/database'

/** A build that is over, as its front has put it down. */
export interface BuildRecord {
  readonly ref: string
  /** Milliseconds since 1970. */
  readonly completedMs: number
  readonly isPinned: boolean
  /** The front's own encoding. */
  readonly record: Uint8Array
  /** Of what the build has said. */
  readonly progressBytes: number
}

const migrations = [
  `CREATE TABLE build_records (
     ref TEXT PRIMARY KEY,
     completed_ms INTEGER NOT NULL,
     pinned INTEGER NOT NULL,
     record BLOB NOT NULL,
     progress BLOB NOT NULL
   ) STRICT`,
]

/** What is remembered of builds, across restarts. How much that is, is up to who writes. */
export class BuildRecords {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
    database.migrate('build_records', migrations)
  }

  /** The first to end first; what they have said stays in the database. */
  all(): BuildRecord[] {
    const sql =
      'SELECT ref, completed_ms, pinned, record, length(progress) AS bytes FROM build_records ORDER BY completed_ms, ref'
    return this.#database
      .prepare(sql)
      .all()
      .map((row) => ({
        ref: String(row['ref']),
        completedMs: Number(row['completed_ms']),
        isPinned: Number(row['pinned']) === 1,
        record: row['record'] as Uint8Array,
        progressBytes: Number(row['bytes']),
      }))
  }

  progressOf(ref: string): Uint8Array | undefined {
    return this.#database.prepare('SELECT progress FROM build_records WHERE ref = ?').get(ref)?.['progress'] as
      | Uint8Array
      | undefined
  }

  put({ ref, completedMs, isPinned, record }: Omit<BuildRecord, 'progressBytes'>, progress: Uint8Array): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO build_records VALUES (?, ?, ?, ?, ?)')
      .run(ref, completedMs, Number(isPinned), record, progress)
  }

  /** Puts another record in the place of one that is there. */
  change(ref: string, { isPinned, record }: Pick<BuildRecord, 'isPinned' | 'record'>): void {
    this.#database
      .prepare('UPDATE build_records SET pinned = ?, record = ? WHERE ref = ?')
      .run(Number(isPinned), record, ref)
  }

  remove(refs: readonly string[]): void {
    const statement = this.#database.prepare('DELETE FROM build_records WHERE ref = ?')
    this.#database.transaction(() => {
      for (const ref of refs) statement.run(ref)
    })
  }
}
