import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, suggest } from './suggest.ts'

test('editDistance() counts a swap of neighbours once', () => {
  const pairs = [
    ['ps', 'ps', 0],
    ['sp', 'ps', 1],
    ['iamges', 'images', 1],
    ['', 'abc', 3],
    ['network', 'volume', 7],
  ] as const
  for (const [a, b, distance] of pairs) assert.equal(editDistance(a, b), distance, `${a} ${b}`)
})

test('suggest() names what is near, and nothing for what is far', () => {
  const known = ['ps', 'images', 'image', 'network', 'pull', 'push']
  assert.deepEqual(suggest('imges', known), ['images', 'image'])
  assert.deepEqual(suggest('netw', known), ['network'])
  assert.deepEqual(suggest('pus', known), ['push', 'ps'])
  assert.deepEqual(suggest('foo', known), [])
})
