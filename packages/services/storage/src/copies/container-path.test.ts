import assert from 'node:assert/strict'
import { test } from 'node:test'
import { baseName, belowRoot, containerPath } from './container-path.ts'

test('containerPath() cleans by letters and keeps what the end says', () => {
  const cases = {
    '/etc': '/etc',
    '/etc/': '/etc/',
    '/etc/.': '/etc/.',
    etc: '/etc',
    '/': '/',
    '/.': '/.',
    '.': '/.',
    './': '/',
    '../../etc/passwd': '/etc/passwd',
    '/a/../b/./c//d': '/b/c/d',
    '//etc//passwd': '/etc/passwd',
    '/a/..': '/',
    'a/./': '/a/',
  }
  for (const [given, wanted] of Object.entries(cases)) assert.equal(containerPath(given), wanted, given)
})

test('baseName() and belowRoot() are what Go and openat2() make of them', () => {
  assert.deepEqual(['/etc', '/etc/', '/etc/.', '/', '/.'].map(baseName), ['etc', 'etc', '.', '/', '.'])
  assert.deepEqual(['/etc', '/etc/', '/etc/.', '/', '/.'].map(belowRoot), ['etc', 'etc/', 'etc/.', '.', '.'])
})
