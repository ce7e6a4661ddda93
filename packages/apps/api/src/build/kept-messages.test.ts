import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptMessages } from './kept-messages.ts'

test('KeptMessages keeps the last megabyte', () => {
  const kept = new KeptMessages()
  kept.add({ stream: 'first' })
  kept.add({ aux: { ID: 'x' } })
  assert.deepEqual(kept.all, [{ stream: 'first' }, { aux: { ID: 'x' } }])
  kept.add({ stream: 'y'.repeat((1 << 20) - 2) })
  assert.deepEqual(
    kept.all.map(({ stream }) => typeof stream),
    ['undefined', 'string'],
  )
})
