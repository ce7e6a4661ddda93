import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compilePattern } from './pattern.ts'

test('compilePattern() matches anywhere, and both cases when asked to as in Go', () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ['web', '/my-web-1', true],
    ['^web$', 'web1', false],
    ['^/?(web|db)[0-9]+$', '/db12', true],
    ['a{2,3}', 'caab', true],
    ['(?i)WEB', 'web', true],
    ['[(?=]', '=', true],
    ['\\(\\?=', '(?=', true],
  ]
  for (const [source, text, expected] of table) assert.equal(compilePattern(source).test(text), expected, source)
})

test('compilePattern() answers soon whatever the pattern and the text', () => {
  const startedMs = performance.now()
  assert.equal(compilePattern('^(a+)+$').test(`${'a'.repeat(5000)}!`), false)
  const slow = compilePattern('(?i)^(a|a|a{1,20})*$')
  for (let i = 0; i < 3; i++) assert.throws(() => slow.test(`${'a'.repeat(200)}!`), /takes too long/)
  assert.ok(performance.now() - startedMs < 2000)
})

test('compilePattern() refuses what is none, is too long, or looks around and back', () => {
  for (const source of ['(', '[', 'a**', 'a'.repeat(1001), '(?=a)', '(?<!a)b', '(a)\\1', '(?<x>a)\\k<x>']) {
    assert.throws(() => compilePattern(source), { kind: 'invalid' }, source)
  }
})
