import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIgnoreFile, patternToRegExp } from './ignore.ts'

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

test('patternToRegExp() matches as Go does', () => {
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
    cases.map(([pattern, path]) => patternToRegExp(pattern).test(path)),
    cases.map(([, , expected]) => expected),
  )
})

test('patternToRegExp() refuses an open class', () => {
  assert.throws(() => parseIgnoreFile('!'), { message: 'illegal exclusion pattern: "!"' })
  assert.throws(() => patternToRegExp('[]'), { message: /syntax error in pattern/ })
})
