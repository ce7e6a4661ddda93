import assert from 'node:assert/strict'
import { test } from 'node:test'
import { matchGlob } from './glob.ts'

/** From the table of Go's path.Match, whose rules these are. */
const table: readonly (readonly [string, string, boolean | undefined])[] = [
  ['abc', 'abc', true],
  ['*', 'abc', true],
  ['*c', 'abc', true],
  ['a*', 'ab/c', false],
  ['a*/b', 'abc/b', true],
  ['a*/b', 'a/c/b', false],
  ['a*b*c*d*e*/f', 'axbxcxdxe/f', true],
  ['a*b*c*d*e*/f', 'axbxcxdxexxx/fff', false],
  ['a*b?c*x', 'abxbbxdbxebxczzx', true],
  ['a*b?c*x', 'abxbbxdbxebxczzy', false],
  ['ab[c]', 'abc', true],
  ['ab[b-d]', 'abc', true],
  ['ab[e-g]', 'abc', false],
  ['ab[^c]', 'abc', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'ab', false],
  ['a???b', 'a☺☺☺b', true],
  ['a?b', 'a/b', false],
  ['[\\]a]', ']', true],
  ['[\\-x]', 'x', true],
  ['[x\\-]', '-', true],
  ['[]a]', ']', undefined],
  ['[-]', '-', undefined],
  ['[-x]', 'x', undefined],
  ['[a-b-c]', 'a', undefined],
  ['[', 'a', undefined],
  ['[^bc', 'a', undefined],
  ['a[', 'ab', undefined],
  ['\\', 'a', undefined],
  ['*x', 'xxx', true],
  ['', '', true],
  ['', 'a', false],
  ['foo/**/ba[rz]', 'foo/a/bar', true],
]

test('matchGlob() follows the rules of path.Match', () => {
  for (const [pattern, text, expected] of table) {
    assert.equal(matchGlob(pattern, text), expected, `${pattern} on ${text}`)
  }
})

test('matchGlob() does not explode on many stars', () => {
  assert.equal(matchGlob('*a'.repeat(200), 'a'.repeat(2000) + 'b'), false)
})
