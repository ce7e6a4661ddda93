import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkSymlinkTarget, sanitizeEntryPath, splitEntryPath } from './entry-path.ts'

const accepted: Record<string, string> = {
  'etc/passwd': 'etc/passwd',
  './etc/passwd': 'etc/passwd',
  '/etc/passwd': 'etc/passwd',
  '//etc///passwd/': 'etc/passwd',
  'etc/./passwd': 'etc/passwd',
  'etc/../passwd': 'passwd',
  'a/b/../../c': 'c',
  '.': '',
  './': '',
  '/': '',
  'a/..': '',
  '...': '...',
  '..a/b..': '..a/b..',
  '.hidden/..x/y.': '.hidden/..x/y.',
  'naïve/文件': 'naïve/文件',
  'with\nnewline': 'with\nnewline',
  'back\\slash/..\\x': 'back\\slash/..\\x',
}

for (const [path, clean] of Object.entries(accepted)) {
  test(`sanitizeEntryPath() takes ${JSON.stringify(path)}`, () => assert.equal(sanitizeEntryPath(path), clean))
}

const refused: Record<string, RegExp> = {
  '': /is empty/,
  '..': /leads out/,
  '../x': /leads out/,
  '/../x': /leads out/,
  'a/../../x': /leads out/,
  './../x': /leads out/,
  'a/b/../../../etc/passwd': /leads out/,
  'a\0b': /NUL/,
  [`a/${'n'.repeat(256)}`]: /component/,
  [`a/${'é'.repeat(128)}`]: /component/,
  ['d/'.repeat(2100)]: /more than 4095/,
}

for (const [path, message] of Object.entries(refused)) {
  test(`sanitizeEntryPath() refuses ${JSON.stringify(path.slice(0, 30))}`, () => {
    assert.throws(() => sanitizeEntryPath(path), { kind: 'invalid', message })
  })
}

test('checkSymlinkTarget() lets a target point anywhere but be no impossible one', () => {
  assert.equal(checkSymlinkTarget('../../../etc/passwd'), '../../../etc/passwd')
  for (const target of ['', 'a\0b', 'x'.repeat(4096)]) {
    assert.throws(() => checkSymlinkTarget(target), { kind: 'invalid' })
  }
})

test('splitEntryPath() parts the last name', () => {
  assert.deepEqual(splitEntryPath('a/b/c'), { parent: 'a/b', name: 'c' })
  assert.deepEqual(splitEntryPath('c'), { parent: '', name: 'c' })
})
