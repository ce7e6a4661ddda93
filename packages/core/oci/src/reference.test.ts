import assert from 'node:assert/strict'
import { test } from 'node:test'
import { messageOf } from '@berth/base'
import {
  familiarName,
  familiarString,
  formatReference,
  nameOf,
  parseAnyReference,
  parseReference,
  withDefaultTag,
  withTag,
} from './reference.ts'

const f64 = 'f'.repeat(64)
const hex64 = '1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a'

/** What was given, its full form, its familiar form. */
const accepted: readonly (readonly [string, string, string])[] = [
  ['test_com', 'docker.io/library/test_com', 'test_com'],
  ['test.com:tag', 'docker.io/library/test.com:tag', 'test.com:tag'],
  ['test.com:5000', 'docker.io/library/test.com:5000', 'test.com:5000'],
  ['test.com/repo:tag', 'test.com/repo:tag', 'test.com/repo:tag'],
  ['test:5000/repo', 'test:5000/repo', 'test:5000/repo'],
  [`test:5000/repo:tag@sha256:${f64}`, `test:5000/repo:tag@sha256:${f64}`, `test:5000/repo:tag@sha256:${f64}`],
  ['lowercase:Uppercase', 'docker.io/library/lowercase:Uppercase', 'lowercase:Uppercase'],
  [
    'sub-dom1.foo.com/bar/baz/quux:some-long-tag',
    'sub-dom1.foo.com/bar/baz/quux:some-long-tag',
    'sub-dom1.foo.com/bar/baz/quux:some-long-tag',
  ],
  ['xn--n3h.com/myimage:xn--n3h.com', 'xn--n3h.com/myimage:xn--n3h.com', 'xn--n3h.com/myimage:xn--n3h.com'],
  [`a.com/b@sha512:${f64}${f64}`, `a.com/b@sha512:${f64}${f64}`, `a.com/b@sha512:${f64}${f64}`],
  ['foo/foo_bar.com:8080', 'docker.io/foo/foo_bar.com:8080', 'foo/foo_bar.com:8080'],
  ['192.168.1.1', 'docker.io/library/192.168.1.1', '192.168.1.1'],
  ['192.168.1.1:5000/repo:5050', '192.168.1.1:5000/repo:5050', '192.168.1.1:5000/repo:5050'],
  ['[2001:db8::1]/repo', '[2001:db8::1]/repo', '[2001:db8::1]/repo'],
  ['[::1]:5000/repo:t', '[::1]:5000/repo:t', '[::1]:5000/repo:t'],
  ['docker.io/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['index.docker.io/library/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['index.docker.io/fooo/bar', 'docker.io/fooo/bar', 'fooo/bar'],
  ['library/ubuntu', 'docker.io/library/ubuntu', 'ubuntu'],
  ['library/foo/bar', 'docker.io/library/foo/bar', 'library/foo/bar'],
  ['127.0.0.1:8000/private/moonbase', '127.0.0.1:8000/private/moonbase', '127.0.0.1:8000/private/moonbase'],
  ['localhost/foo', 'localhost/foo', 'localhost/foo'],
  ['localhost', 'docker.io/library/localhost', 'localhost'],
  ['Foo/bar', 'Foo/bar', 'Foo/bar'],
  ['DOCKER/docker', 'DOCKER/docker', 'DOCKER/docker'],
  [`docker.io/${hex64}`, `docker.io/library/${hex64}`, hex64],
  ['docker---rules/docker', 'docker.io/docker---rules/docker', 'docker---rules/docker'],
  ['dock__er/docker', 'docker.io/dock__er/docker', 'dock__er/docker'],
  [
    `a/${'a/'.repeat(126)}a:tag-puts-this-over-max`,
    `docker.io/a/${'a/'.repeat(126)}a:tag-puts-this-over-max`,
    `a/${'a/'.repeat(126)}a:tag-puts-this-over-max`,
  ],
]

for (const [given, full, familiar] of accepted) {
  test(`parseReference() accepts ${given.slice(0, 60)}`, () => {
    const reference = parseReference(given)
    assert.deepEqual([formatReference(reference), familiarString(reference)], [full, familiar])
  })
}

const format = 'invalid reference format'
const refused: readonly (readonly [string, string])[] = [
  ['', format],
  [':justtag', format],
  [`@sha256:${f64}`, format],
  ['repo@sha256:ffffffffffffffffffffffffffffffffff', 'invalid checksum digest length'],
  [`validname@invaliddigest:${f64}`, 'unsupported digest algorithm'],
  [`validname@constructor:${f64}`, 'unsupported digest algorithm'],
  [`validname@sha256:${f64.toUpperCase()}`, 'invalid checksum digest format'],
  [`validname@SHA256:${f64}`, `${format}: repository name (library/validname@SHA256) must be lowercase`],
  ['x@sha256:abc', format],
  ['Uppercase:tag', `${format}: repository name (library/Uppercase) must be lowercase`],
  ['docker/Docker', `${format}: repository name (docker/Docker) must be lowercase`],
  ['test:5000/Uppercase/lowercase:tag', `${format}: repository name (Uppercase/lowercase) must be lowercase`],
  [`${'a/'.repeat(128)}a:tag`, 'repository name must not be more than 255 characters'],
  ['aa/asdf$$^/aa', format],
  ['[2001:db8::1]', format],
  ['[2001:db8::1]:5000', format],
  ['[fe80::1%eth0]:5000/repo', format],
  ['[2001:db8:3:4::192.0.2.33]:5000/debian', format],
  ['fc00::1:5000/debian', format],
  ['https://github.com/docker/docker', format],
  ['-docker', format],
  ['docker-/docker', format],
  ['docker///docker', format],
  ['docker/', format],
  ['____/____', format],
  ['dock..er/docker', format],
  ['dock-.er/docker', format],
  ['busybox:sha256:aaaa', format],
  ['busybox\n', format],
  [`busybox:${'t'.repeat(129)}`, format],
  [hex64, `invalid repository name (${hex64}), cannot specify 64-byte hexadecimal strings`],
]

for (const [given, message] of refused) {
  test(`parseReference() refuses ${JSON.stringify(given.slice(0, 60))}`, () => {
    assert.throws(() => parseReference(given), { kind: 'invalid', message })
  })
}

test('parseReference() takes a hostile megabyte without delay', () => {
  for (const text of ['a-'.repeat(500_000), 'a.'.repeat(500_000), `${'a'.repeat(1_000_000)}!`, '/'.repeat(1_000_000)]) {
    assert.throws(
      () => parseReference(text),
      (error) => messageOf(error).length < 1000,
    )
  }
})

test('parseAnyReference() reads full ids as digests and short ones as names', () => {
  assert.equal(parseAnyReference(f64), `sha256:${f64}`)
  assert.equal(parseAnyReference(`sha256:${f64}`), `sha256:${f64}`)
  assert.deepEqual(parseAnyReference('dbcc1'), parseReference('dbcc1'))
})

test('withDefaultTag() adds latest only to a bare name', () => {
  assert.equal(familiarString(withDefaultTag(parseReference('a'))), 'a:latest')
  assert.equal(familiarString(withDefaultTag(parseReference('a:b'))), 'a:b')
  assert.equal(familiarString(withDefaultTag(parseReference(`a@sha256:${f64}`))), `a@sha256:${f64}`)
})

test('withTag() refuses what is no tag', () => {
  assert.equal(formatReference(withTag(parseReference('a'), 'v1')), 'docker.io/library/a:v1')
  assert.throws(() => withTag(parseReference('a'), '-v'), { message: 'invalid tag format' })
})

test('nameOf() and familiarName() leave tag and digest out', () => {
  const reference = parseReference(`a:b@sha256:${f64}`)
  assert.deepEqual([nameOf(reference), familiarName(reference)], ['docker.io/library/a', 'a'])
})
