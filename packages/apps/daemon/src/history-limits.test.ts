import assert from 'node:assert/strict'
import { test } from 'node:test'
import { historyLimits } from './history-limits.ts'

test('historyLimits() has BuildKit’s own, or what daemon.json says', () => {
  assert.deepEqual(historyLimits({}), { maxEntries: 50, maxAgeMs: 172_800_000 })
  assert.deepEqual(historyLimits({ history: { maxEntries: 3, maxAge: '1h30m' } }), {
    maxEntries: 3,
    maxAgeMs: 5_400_000,
  })
  assert.deepEqual(historyLimits({ history: { maxAge: 60 } }), { maxEntries: 50, maxAgeMs: 60_000 })
})

test('historyLimits() refuses what is no limit', () => {
  for (const history of [{ maxEntries: 0 }, { maxEntries: -1 }, { maxEntries: 1e9 }, { maxAge: 'x' }, { maxAge: 0 }]) {
    assert.throws(() => historyLimits({ history }), { kind: 'invalid', message: /builder\.history\./ })
  }
})
