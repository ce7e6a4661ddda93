import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeAnnotations } from './annotations.ts'

const platforms = ['linux/amd64', 'linux/arm64']

test('decodeAnnotations() tells by what is annotated; those of one platform win over those of all', () => {
  const attributes = {
    name: 'x',
    'annotation.a': '1',
    'annotation-manifest.b': '2',
    'annotation-manifest[linux/aarch64].b': '3',
    'annotation-index.c': '4',
    'annotation-index-descriptor.d': '5',
    'annotation-manifest-descriptor[linux/amd64].e.f': '6',
  }
  const { index, indexDescriptor, manifest, manifestDescriptor } = decodeAnnotations({ attributes }, platforms)
  assert.deepEqual([index, indexDescriptor], [{ c: '4' }, { d: '5' }])
  assert.deepEqual(platforms.map(manifest), [
    { a: '1', b: '2' },
    { a: '1', b: '3' },
  ])
  assert.deepEqual(platforms.map(manifestDescriptor), [{ 'e.f': '6' }, {}])
})

for (const [name, message] of [
  ['annotation-layer.x', /unrecognized annotation type layer/],
  ['annotation', /invalid annotation key/],
  ['annotation.', /invalid annotation key/],
  ['annotation-manifest[linux/s390x].x', /no platform linux\/s390x found in source/],
  ['annotation-index[linux/amd64].x', /an index is of no platform/],
] as const) {
  test(`decodeAnnotations() refuses ${name}`, () => {
    assert.throws(() => decodeAnnotations({ attributes: { [name]: '' } }, platforms), { kind: 'invalid', message })
  })
}

test('decodeAnnotations() takes keys that are names of what objects have', () => {
  const { manifest } = decodeAnnotations({ attributes: { 'annotation.__proto__': 'x' } }, platforms)
  assert.equal(Object.getOwnPropertyDescriptor(manifest('linux/amd64'), '__proto__')?.value, 'x')
})
