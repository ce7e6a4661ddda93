import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Slots } from './slots.ts'

test('Slots.acquire() bounds one and all, lets others in, and hands on what is given back', async () => {
  const slots = new Slots({ perSandbox: 2, total: 3, waitingPerSandbox: 1, maxWaitMs: 60_000 })
  const [one, two] = [await slots.acquire('a'), await slots.acquire('a')]
  const third = slots.acquire('a')
  assert.equal(await slots.acquire('a'), undefined)
  const other = await slots.acquire('b')
  const waiting = slots.acquire('c')
  one?.[Symbol.dispose]()
  other?.[Symbol.dispose]()
  const got = await Promise.all([third, waiting])
  assert.ok(got.every((slot) => slot !== undefined))
  for (const slot of [two, ...got]) slot?.[Symbol.dispose]()
})

test('Slots.acquire() does not serve who has waited for too long', async () => {
  const slots = new Slots({ perSandbox: 1, total: 1, waitingPerSandbox: 9, maxWaitMs: -1 })
  const first = await slots.acquire('a')
  const late = slots.acquire('a')
  first?.[Symbol.dispose]()
  assert.equal(await late, undefined)
  assert.ok(await slots.acquire('a'))
})
