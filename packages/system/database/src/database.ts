import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

export type Row = Record<string, unknown>
export type Value = SQLInputValue

/** A prepared statement. Integers come back as numbers (a lossy one throws). */
export interface Statement {
  run(...values: Value[]): { readonly changes: number; readonly lastInsertRowid: number }
  get(...values: Value[]): Row | undefined
  all(...values: Value[]): Row[]
}

/** A step of a service's schema: plain SQL, applied once, in order, never edited after release. */
export type Migration = string

/** The engine's one SQLite file. Synchronous: statements take microseconds; nothing long runs here. */
export interface Database extends Disposable {
  prepare(sql: string): Statement
  exec(sql: string): void
  /** Runs `work` in one transaction (joined when one is open) and returns its result; rolls back when it throws. */
  transaction<T>(work: () => T): T
  /** Brings `service`'s tables to the newest of `migrations`; throws when the file is from a newer release. */
  migrate(service: string, migrations: readonly Migration[]): void
}

/**
 * Opens (or creates) the database at `path`; ':memory:' for tests. WAL with synchronous=NORMAL: a commit survives the
 * death of the process; the death of the machine may take the last commits but never the file's integrity
 * (https://www.sqlite.org/wal.html). The file is its owner's alone, and so are those that SQLite makes beside it.
 */
export function openDatabase(path: string): Database {
  if (path !== ':memory:') makePrivate(path)
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000; PRAGMA cache_size=-1024')
  db.exec('CREATE TABLE IF NOT EXISTS schema_version (service TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  let depth = 0
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work()
    db.exec('BEGIN IMMEDIATE')
    depth++
    try {
      const result = work()
      db.exec('COMMIT')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    } finally {
      depth--
    }
  }
  return {
    prepare: (sql) => wrap(db.prepare(sql)),
    exec: (sql) => db.exec(sql),
    transaction,
    migrate: (service, migrations) => transaction(() => migrate(db, service, migrations)),
    [Symbol.dispose]: () => db.close(),
  }
}

function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

function wrap(statement: StatementSync): Statement {
  return {
    run: (...values) => {
      const { changes, lastInsertRowid } = statement.run(...values)
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    },
    get: (...values) => statement.get(...values) as Row | undefined,
    all: (...values) => statement.all(...values) as Row[],
  }
}

function migrate(db: DatabaseSync, service: string, migrations: readonly Migration[]): void {
  const row = db.prepare('SELECT version FROM schema_version WHERE service = ?').get(service)
  const version = Number(row?.['version'] ?? 0)
  if (version > migrations.length) {
    throw new Error(`state database: ${service} has schema ${version}, this release knows ${migrations.length}`)
  }
  for (const step of migrations.slice(version)) db.exec(step)
  db.prepare('INSERT INTO schema_version VALUES (?, ?) ON CONFLICT DO UPDATE SET version = excluded.version').run(
    service,
    migrations.length,
  )
}
