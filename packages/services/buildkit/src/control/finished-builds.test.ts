import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planEviction } from './finished-builds.ts'

const build = (ref: string, completedMs: number, fields: { isPinned?: boolean; progressBytes?: number } = {}) => ({
  ref,
  completedMs,
  isPinned: false,
  progressBytes: 0,
  ...fields,
})
const nowMs = 1000

test('planEviction() drops the oldest beyond the number, and pinned ones last', () => {
  const all = [build('a', 1, { isPinned: true }), build('b', 2), build('c', 3), build('d', 4)]
  assert.deepEqual(planEviction(all, { maxEntries: 2, maxAgeMs: 0 }, nowMs), ['b', 'c'])
  assert.deepEqual(planEviction(all, { maxEntries: 0, maxAgeMs: 0 }, nowMs), [])
  const pinned = all.map((one) => ({ ...one, isPinned: true }))
  assert.deepEqual(planEviction(pinned, { maxEntries: 3, maxAgeMs: 1 }, nowMs), ['a'])
})

test('planEviction() drops what is too old, but for pinned ones, and what takes too much', () => {
  const all = [build('a', 1, { isPinned: true }), build('b', 2), build('c', 995)]
  assert.deepEqual(planEviction(all, { maxEntries: 50, maxAgeMs: 10 }, nowMs), ['b'])
  const large = all.map((one) => ({ ...one, progressBytes: 20 << 20 }))
  assert.deepEqual(planEviction(large, { maxEntries: 50, maxAgeMs: 0 }, nowMs), ['b', 'c'])
})
