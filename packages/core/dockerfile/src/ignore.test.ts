import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIgnoreFile, compilePath } from './ignore.ts'

const kept = (file: string, paths: readonly string[]): string[] => {
  const rules = parseIgnoreFile(file)
  return paths.filter((path) => !rules.ignores(path))
}

test('parseIgnoreFile() leaves out what matches, and what is in it', () => {
  assert.deepEqual(kept('a\n*.md\n/b/c/\n', ['a', 'a/x', 'b', 'b/c', 'b/c/d', 'r.md', 'x/r.md', 'ab']), [
    'b',
    'x/r.md',
    'ab',
  ])
})

test('parseIgnoreFile() lets exceptions in again, the last line wins', () => {
  const paths = ['a.md', 'README.md', 'd/x', 'd/keep/y']
  assert.deepEqual(kept('*.md\n!README.md\nd\n!d/keep', paths), ['README.md', 'd/keep/y'])
  assert.deepEqual(kept('!README.md\n*.md', paths), ['d/x', 'd/keep/y'])
})

test('parseIgnoreFile() knows ** and leaves comments and spaces aside', () => {
  assert.deepEqual(kept('# c\n  **/*.go  \n\n**/tmp\nv/**', ['m.go', 'a/b/m.go', 'x/tmp/y', 'v', 'v/a', '#c']), [
    'v',
    '#c',
  ])
})

test('compilePath() matches as Go does', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['a*c', 'abc', true],
    ['a*c', 'a/c', false],
    ['a?c', 'a/c', false],
    ['[a-c]x', 'bx', true],
    ['[^a]x', 'bx', true],
    ['[^a]x', '/x', false],
    ['a\\*b', 'a*b', true],
    ['a\\*b', 'axb', false],
    ['a.b', 'axb', false],
    ['**/b', 'b', true],
    ['**/b', 'a/c/b', true],
    ['a/**', 'a/b/c', true],
    ['(x)+', '(x)+', true],
  ]
  assert.deepEqual(
    cases.map(([pattern, path]) => compilePath(pattern).test(path)),
    cases.map(([, , expected]) => expected),
  )
})

test('compilePath() refuses an open class', () => {
  assert.throws(() => parseIgnoreFile('!'), { message: 'illegal exclusion pattern: "!"' })
  for (const pattern of ['[]', '[', 'a[b', '[^\\]']) {
    assert.throws(() => compilePath(pattern), { kind: 'invalid', message: /^syntax error in pattern/ }, pattern)
  }
})

test('compilePath() matches with many wildcards as with few', () => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    ['**/a*b*c', 'x/y/a1b2c', true],
    ['**/a*b*c', 'x/a/b/c', false],
    ['*?*[^a]*\u{1F600}', '\u{1F601}b\u{1F600}', true],
    ['*/*/*/?', 'a/b/c/\u{1F600}', true],
    ['*/*/*/[a-c]\\*', 'a/b/c/b*', true],
    ['**/*.*/**', 'a/b.c/\n', true],
    ['*[\u{1F600}-\u{1F602}]*', 'a\u{1F601}b', true],
  ]
  assert.deepEqual(
    cases.map(([pattern, path]) => compilePath(pattern).test(path)),
    cases.map(([, , expected]) => expected),
  )
})

test('parseIgnoreFile() answers soon whatever the patterns and the paths', () => {
  const startedMs = performance.now()
  const path = `${'a'.repeat(200)}/`.repeat(10) + 'a'
  for (const pattern of ['*a'.repeat(30), '**/*a'.repeat(20), '**/'.repeat(40), `a${'**'.repeat(30)}`]) {
    assert.deepEqual(kept(`${pattern}b`, [path]), [path])
  }
  assert.throws(() => compilePath('['.repeat(100_000)), { message: /^syntax error in pattern/ })
  assert.ok(performance.now() - startedMs < 3000, `${performance.now() - startedMs} ms`)
})
