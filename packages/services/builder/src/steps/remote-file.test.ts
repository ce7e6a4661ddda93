import assert from 'node:assert/strict'
import { test } from 'node:test'
import { remoteFileName, requireChecksumForm } from './remote-file.ts'

const names: readonly [url: string, destination: string, buildkit: string, classic: string | RegExp][] = [
  ['http://h/a/f?q=1', '/o/', 'f', 'f'],
  ['http://h/a%20b', '/o/', 'a b', 'a b'],
  ['http://h/x%2fy', '/o/', 'y', 'y'],
  ['http://h/d/', '/o/', 'd', 'd'],
  ['http://h/', '/o', '__unnamed__', 'o'],
  ['http://h', '/o/', '__unnamed__', /cannot determine filename for source http:\/\/h/],
  ['http://h/x%2f..', '/o/', '__unnamed__', /cannot determine filename/],
]

for (const [url, destination, buildkit, classic] of names) {
  test(`remoteFileName() of ${url} for ${destination}`, () => {
    assert.equal(remoteFileName(url, destination, 'buildkit'), buildkit)
    if (typeof classic === 'string') assert.equal(remoteFileName(url, destination, 'classic'), classic)
    else assert.throws(() => remoteFileName(url, destination, 'classic'), classic)
  })
}

test('remoteFileName() refuses names that no file can have', () => {
  assert.throws(() => remoteFileName('http://h/a%00b', '/o', 'buildkit'), /NUL byte/)
  assert.throws(() => remoteFileName('http://h/%zz', '/o', 'buildkit'), /invalid URL escape/)
})

test('requireChecksumForm() says what is wrong with a checksum', () => {
  for (const good of ['', `sha256:${'a'.repeat(64)}`, `sha512:${'0'.repeat(128)}`]) requireChecksumForm(good)
  assert.throws(() => requireChecksumForm('xx'), /invalid checksum digest format/)
  assert.throws(() => requireChecksumForm(`sha256:${'Z'.repeat(64)}`), /invalid checksum digest format/)
  assert.throws(() => requireChecksumForm('md5:0'), /unsupported digest algorithm/)
  assert.throws(() => requireChecksumForm('sha256:12'), /invalid checksum digest length/)
})
