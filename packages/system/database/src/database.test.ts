import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
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
