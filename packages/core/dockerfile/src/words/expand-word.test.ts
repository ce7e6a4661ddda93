import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDirectives } from '../lines/directives.ts'
import { expandWord } from './expand-word.ts'

const expand = (word: string, x: string): string => expandWord(word, { environment: new Map([['x', x]]) })

test('expandWord() cuts and replaces what a shell pattern matches', () => {
  const cases: readonly (readonly [word: string, x: string, expected: string])[] = [
    ['${x#*/}', 'a/b/c', 'b/c'],
    ['${x##*/}', 'a/b/c', 'c'],
    ['${x%/*}', 'a/b/c', 'a/b'],
    ['${x%%/*}', 'a/b/c', 'a'],
    ['${x#a*}', 'abc', 'bc'],
    ['${x##a*}', 'abc', ''],
    ['${x%?}', 'a\u{1F600}', 'a'],
    ['${x%?b*}', 'aab1b2', 'aab'],
    ['${x#\\*}', '*a', 'a'],
    ['${x#}', 'a', 'a'],
    ['${x#.}', 'ab', 'ab'],
    ['${x/a/b}', 'aaa', 'baa'],
    ['${x//a/b}', 'aca', 'bcb'],
    ['${x//*/b}', 'aca', 'b'],
    ['${x/a*c/z}', 'abcabcd', 'zd'],
    ['${x//?/z}', 'a\u{1F600}', 'zz'],
    ['${x//a/$&}', 'a', '$&'],
    ['${x//a/}', 'abab', 'bb'],
    ['${x//\\?/q}', 'a?b', 'aqb'],
  ]
  assert.deepEqual(
    cases.map(([word, x]) => expand(word, x)),
    cases.map(([, , expected]) => expected),
  )
})

test('expandWord() answers soon whatever the pattern and the value', () => {
  const value = 'a'.repeat(20_000)
  const startedMs = performance.now()
  for (const word of ['${x#*a*a*a*a*b}', '${x%b*a*a*a*a*}', '${x##*b}', '${x//*a*a*b/c}']) {
    assert.equal(expand(word, value), value)
  }
  assert.equal(expand('${x//a/bb}', value), 'bb'.repeat(20_000))
  assert.ok(performance.now() - startedMs < 2000, `${performance.now() - startedMs} ms`)
})

test('readDirectives() answers soon whatever a comment says', () => {
  const startedMs = performance.now()
  const spaces = ' '.repeat(100_000)
  assert.deepEqual(readDirectives([`# syntax = a${spaces}b${spaces}`]), { syntax: `a${spaces}b`, escape: '\\' })
  assert.ok(performance.now() - startedMs < 1000, `${performance.now() - startedMs} ms`)
})
