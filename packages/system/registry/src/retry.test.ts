import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pauseBeforeRetry } from './retry.ts'

test('pauseBeforeRetry() tells the seconds that are left, the last one too', async () => {
  const told: number[] = []
  const beganMs = performance.now()
  await pauseBeforeRetry(1050, { onRetry: (secondsLeft) => void told.push(secondsLeft) })
  assert.deepEqual(told, [2, 1])
  assert.ok(performance.now() - beganMs >= 1000)
})

test('pauseBeforeRetry() ends at once when nobody waits any more', async () => {
  const signal = AbortSignal.abort(new Error('gone'))
  await assert.rejects(pauseBeforeRetry(60_000, { signal }), { name: 'AbortError' })
})
