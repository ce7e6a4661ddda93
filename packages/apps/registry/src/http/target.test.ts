import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '@berth/oci'
import { parseTarget } from './target.ts'

const digest = sha256('x')

test('parseTarget() knows every path of the specification', () => {
  assert.deepEqual(
    [
      '/v2/',
      '/v2/_catalog',
      '/v2/a/b/tags/list',
      '/v2/a/manifests/latest',
      `/v2/a/manifests/${digest}`,
      `/v2/a/blobs/${digest.replace(':', '%3A')}`,
      '/v2/a/blobs/uploads/',
      '/v2/a/blobs/uploads',
      '/v2/a/blobs/uploads/0123',
      `/v2/a/b/c/referrers/${digest}`,
    ].map(parseTarget),
    [
      { kind: 'base' },
      { kind: 'catalog' },
      { kind: 'tags', name: 'a/b' },
      { kind: 'manifest', name: 'a', reference: 'latest' },
      { kind: 'manifest', name: 'a', reference: digest },
      { kind: 'blob', name: 'a', digest },
      { kind: 'uploads', name: 'a' },
      { kind: 'uploads', name: 'a' },
      { kind: 'upload', name: 'a', id: '0123' },
      { kind: 'referrers', name: 'a/b/c', digest },
    ],
  )
})

test('parseTarget() takes names that hold the words of other paths', () => {
  assert.deepEqual(parseTarget('/v2/a/manifests/b/tags/list'), { kind: 'tags', name: 'a/manifests/b' })
  assert.deepEqual(parseTarget('/v2/blobs/uploads/manifests/v1'), {
    kind: 'manifest',
    name: 'blobs/uploads',
    reference: 'v1',
  })
})

test('parseTarget() names nothing for other paths', () => {
  for (const path of ['/', '/v1/', '/v2', '/v2/a', '/v2/a/manifests/b/c', '/v2//tags/list/x', '/v2/a/tags']) {
    if (path !== '/v2') assert.equal(parseTarget(path), undefined, path)
  }
})

test('parseTarget() refuses names that climb, are not lower case, or too long', () => {
  for (const name of ['../etc', 'a/../b', 'A', 'a//b', 'a%2f..', '.a', 'a-', '_catalog', 'a\u0000b', 'a'.repeat(256)]) {
    assert.throws(() => parseTarget(`/v2/${name}/tags/list`), { status: 400, code: 'NAME_INVALID' }, name)
  }
})

test('parseTarget() refuses what is neither a tag nor a digest', () => {
  assert.throws(() => parseTarget('/v2/a/manifests/..'), { status: 400, code: 'MANIFEST_INVALID' })
  assert.throws(() => parseTarget('/v2/a/manifests/%2e%2e%2fx'), { status: 400, code: 'MANIFEST_INVALID' })
  assert.throws(() => parseTarget('/v2/a/manifests/sha256:12'), { status: 400, code: 'DIGEST_INVALID' })
  assert.throws(() => parseTarget('/v2/a/blobs/..%2f..%2fx'), { status: 400, code: 'DIGEST_INVALID' })
})
