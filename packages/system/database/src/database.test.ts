import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from './database.ts'

test('migrate() applies each step once and refuses a newer schema', () => {
  using db = openDatabase(':memory:')
  const first = 'CREATE TABLE a (x INTEGER) STRICT'
  db.migrate('s', [first])
  db.migrate('s', [first, 'ALTER TABLE a ADD COLUMN y TEXT'])
  db.prepare('INSERT INTO a VALUES (?, ?)').run(1, 'one')
  assert.deepEqual({ ...db.prepare('SELECT * FROM a').get() }, { x: 1, y: 'one' })
  assert.throws(() => db.migrate('s', [first]), /schema 2, this release knows 1/)
})

test('transaction() rolls everything back when the work throws, also a joined inner one', () => {
  using db = openDatabase(':memory:')
  db.migrate('s', ['CREATE TABLE a (x INTEGER) STRICT'])
  const insert = db.prepare('INSERT INTO a VALUES (?)')
  assert.throws(() =>
    db.transaction(() => {
      insert.run(1)
      db.transaction(() => insert.run(2))
      throw new Error('no')
    }),
  )
  assert.equal(db.prepare('SELECT * FROM a').all().length, 0)
})

test('openDatabase() makes files that only their owner can read', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-database-'))
  try {
    using db = openDatabase(join(directory, 'state.db'))
    db.migrate('s', ['CREATE TABLE a (x INTEGER) STRICT'])
    const modes = readdirSync(directory).map((name) => statSync(join(directory, name)).mode & 0o777)
    assert.deepEqual(modes, [0o600, 0o600, 0o600])
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('openDatabase() names a file that is no database, and a damaged one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-database-'))
  const path = join(directory, 'state.db')
  try {
    writeFileSync(path, 'garbage '.repeat(1000))
    assert.throws(() => openDatabase(path), new RegExp(`${path}: file is not a database`))
    rmSync(path)
    fill(path)
    writeFileSync(path, Buffer.concat([readFileSync(path).subarray(0, 4096), Buffer.alloc(40_000, 0xff)]))
    assert.throws(() => openDatabase(path), new RegExp(`${path}: database disk image is malformed`))
  } finally {
    rmSync(directory, { recursive: true })
  }
})

function fill(path: string): void {
  using db = openDatabase(path)
  db.migrate('s', ['CREATE TABLE a (x TEXT) STRICT'])
  for (let i = 0; i < 100; i++) db.prepare('INSERT INTO a VALUES (?)').run('x'.repeat(400))
}

test('openDatabase() finds everything after a kill, behind a log with room to spare', () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-database-'))
  const [path, copy] = [join(directory, 'state.db'), join(directory, 'copy.db')]
  try {
    using db = openDatabase(path)
    db.migrate('s', ['CREATE TABLE a (x INTEGER) STRICT'])
    for (let i = 0; i < 100; i++) db.prepare('INSERT INTO a VALUES (?)').run(i)
    for (const end of ['', '-wal']) copyFileSync(`${path}${end}`, `${copy}${end}`)
    using later = openDatabase(copy)
    assert.equal(later.prepare('SELECT count(*) AS n FROM a').get()?.['n'], 100)
    assert.ok(statSync(`${copy}-wal`).size >= 4 * 2 ** 20)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
