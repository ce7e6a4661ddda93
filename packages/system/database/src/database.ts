import { codeOf, internal, messageOf } from '@berth/base'
import { appendFileSync, chmodSync, closeSync, openSync, statSync } from 'node:fs'
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
  if (path === ':memory:') return open(path)
  makePrivate(path)
  const database = explaining(path, () => open(path))
  reserve(`${path}-wal`)
  return database
}

function open(path: string): Database {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: true })
  db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=5000; PRAGMA cache_size=-1024')
  db.exec('CREATE TABLE IF NOT EXISTS schema_version (service TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
  const statements = new Map<string, Statement>()
  const prepare = (sql: string) => {
    const statement = wrap(
      path,
      explaining(path, () => db.prepare(sql)),
    )
    if (statements.size < maxStatements) statements.set(sql, statement)
    return statement
  }
  let depth = 0
  const exec = (sql: string) => explaining(path, () => db.exec(sql))
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return work()
    exec('BEGIN IMMEDIATE')
    depth++
    try {
      const result = work()
      exec('COMMIT')
      return result
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK')
      throw error
    } finally {
      depth--
    }
  }
  return {
    prepare: (sql) => statements.get(sql) ?? prepare(sql),
    exec,
    transaction,
    migrate: (service, migrations) => transaction(() => migrate(db, service, migrations)),
    [Symbol.dispose]: () => db.close(),
  }
}

/** Texts of statements are constants: each is understood once. */
const maxStatements = 200

/** The log grows to 1000 pages before SQLite begins it anew: room for them, taken while there is some. */
const logBytes = 4 * 2 ** 20 + 64 * 2 ** 10

function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
}

/**
 * Zeros after what the log holds: SQLite takes them for frames that were never written (https://www.sqlite.org/walformat.html),
 * and can still write what frees space, a removal above all, when the disk is full.
 */
function reserve(log: string): void {
  const missing = logBytes - statSync(log).size
  try {
    if (missing > 0) appendFileSync(log, Buffer.alloc(missing))
  } catch (error) {
    // Then a write will say so.
    if (codeOf(error) !== 'ENOSPC' && codeOf(error) !== 'EDQUOT') throw error
  }
}

// https://www.sqlite.org/rescode.html
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_NOTADB = 26

/** Names the file where the file is what is wrong. */
function explaining<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const code = Number((error as { errcode?: unknown }).errcode ?? 0) & 0xff
    if (code === SQLITE_FULL) throw internal(`state database ${path}: no space left on device`, error)
    if (code !== SQLITE_CORRUPT && code !== SQLITE_NOTADB) throw error
    throw internal(`state database ${path}: ${messageOf(error)}: restore it from a backup, or move it away`, error)
  }
}

function wrap(path: string, statement: StatementSync): Statement {
  return {
    run: (...values) => {
      const { changes, lastInsertRowid } = explaining(path, () => statement.run(...values))
      return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) }
    },
    get: (...values) => explaining(path, () => statement.get(...values) as Row | undefined),
    all: (...values) => explaining(path, () => statement.all(...values) as Row[]),
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
