import assert from 'node:assert/strict'
import { test } from 'node:test'
import { imageReference } from './reference.ts'

test('imageReference() lets the parameter win over the tag in the name', () => {
  assert.equal(imageReference('host:5000/a/b', '1'), 'host:5000/a/b:1')
  assert.equal(imageReference('host:5000/a/b:old', 'new'), 'host:5000/a/b:new')
  assert.equal(imageReference('a:1', null), 'a:1')
  assert.equal(imageReference(null, '1'), undefined)
  assert.throws(() => imageReference('a', 'b:c'), { message: 'invalid tag format' })
})
