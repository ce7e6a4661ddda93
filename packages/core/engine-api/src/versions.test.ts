import assert from 'node:assert/strict'
import { test } from 'node:test'
import { has, parseVersion } from './versions.ts'

test('parseVersion() accepts what is served and words the rest as Docker does', () => {
  assert.equal(parseVersion('1.24'), 24)
  assert.equal(parseVersion('1.51'), 51)
  assert.throws(() => parseVersion('1.23'), {
    message:
      'client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version',
  })
  assert.throws(() => parseVersion('1.52'), {
    message: 'client version 1.52 is too new. Maximum supported API version is 1.51',
  })
  assert.throws(() => parseVersion('2.0'), /too new/)
})

test('has() knows the first and the last version of a feature', () => {
  assert.deepEqual([has(43, 'imageVirtualSize'), has(44, 'imageVirtualSize')], [true, false])
  assert.deepEqual([has(41, 'multiplexedMediaType'), has(42, 'multiplexedMediaType')], [false, true])
})
