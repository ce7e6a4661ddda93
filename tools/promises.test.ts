import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

const root = new URL('..', import.meta.url)
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8')

/** The last cell of a row: the test's file, and words of its name. */
const row = /^\| .+ \|.*\| `(?<file>[^`]+)`: (?<name>.+) \|$/
const heading = /^\| promise \||^\|---\|/

test('docs/security.md names tests that there are', () => {
  const rows = read('docs/security.md')
    .split('\n')
    .filter((line) => line.startsWith('|') && !heading.test(line))
  assert.ok(rows.length > 40)
  for (const line of rows) {
    const { file = '', name = '' } = row.exec(line)?.groups ?? {}
    assert.ok(file !== '' && existsSync(new URL(file, root)), `no such file: ${line}`)
    assert.ok(read(file).includes(name), `no such test: ${line}`)
  }
})
