import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collectGarbage } from './collect-garbage.ts'

test('collectGarbage() frees what nothing refers to', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const registry = new FinalizationRegistry(resolve)
  registry.register({ large: Array.from({ length: 1000 }) }, 'freed')
  // What this turn of the event loop made, it keeps.
  await new Promise((next) => setImmediate(next))
  await collectGarbage()
  assert.equal(await promise, 'freed')
})
