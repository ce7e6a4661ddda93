import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { settlesWithin } from './settles-within.ts'

test('settlesWithin() says whether it did, and takes years for what they are', async () => {
  assert.equal(await settlesWithin(delay(1), 1000), true)
  assert.equal(await settlesWithin(delay(20), 1), false)
  assert.equal(await settlesWithin(delay(20), undefined), true)
  assert.equal(await settlesWithin(delay(20), 2 ** 31 * 1000), true)
})
