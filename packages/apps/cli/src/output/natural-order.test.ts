import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compareNaturally } from './natural-order.ts'

test('compareNaturally() counts runs of digits as numbers', () => {
  const names = ['net10', 'net9', 'a', 'net', 'net9b', 'b2', 'net009']
  assert.deepEqual(names.toSorted(compareNaturally), ['a', 'b2', 'net', 'net9', 'net9b', 'net009', 'net10'])
})
