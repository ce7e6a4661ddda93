import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { KeyedLock } from './keyed-lock.ts'

test('KeyedLock.run() serialises one key, in order, and lets other keys pass', async () => {
  const lock = new KeyedLock<string>()
  const seen: string[] = []
  const step = (key: string, name: string, ms: number) =>
    lock.run(key, async () => {
      await sleep(ms)
      seen.push(name)
    })
  await Promise.all([step('a', 'a1', 20), step('a', 'a2', 0), step('b', 'b1', 5)])
  assert.deepEqual(seen, ['b1', 'a1', 'a2'])
  assert.equal(lock.isHeld('a'), false)
})

test('KeyedLock.run() frees the key when the work throws', async () => {
  const lock = new KeyedLock<string>()
  await assert.rejects(lock.run('a', () => Promise.reject(new Error('no'))))
  assert.equal(await lock.run('a', () => 1), 1)
})
