import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CacheRecord, PruneRule } from '../builder.ts'
import { planPrune, pruneEverything } from './plan-prune.ts'

const nowMs = Date.parse('2026-01-01T12:00:00Z')

/** Used so many hours ago. */
function record(id: string, hours: number, more: Partial<CacheRecord> = {}): CacheRecord {
  const usedAt = new Date(nowMs - hours * 3_600_000).toISOString()
  const flags = { isInUse: false, isShared: false, isMutable: false }
  return {
    id,
    type: 'regular',
    parents: [],
    description: id,
    sizeBytes: 10,
    createdAt: usedAt,
    usedAt,
    uses: 1,
    ...flags,
    ...more,
  }
}

const drops = (records: readonly CacheRecord[], rule: Partial<PruneRule>, freeBytes = 1000): string[] =>
  planPrune(records, { ...pruneEverything, ...rule }, { nowMs, freeBytes }).map(({ id }) => id)

test('planPrune() without limits drops all that matches, but for what is used', () => {
  const records = [record('new', 0), record('held', 5, { isInUse: true }), record('shared', 5, { isShared: true })]
  assert.deepEqual(drops(records, {}), ['new', 'shared'])
  assert.deepEqual(drops(records, { all: false }), ['new'])
  assert.deepEqual(drops(records, { unusedForMs: 3_600_000 }), ['shared'])
  assert.deepEqual(drops(records, { filters: ['shared', 'id==new'] }), ['new', 'shared'])
})

test('planPrune() within a ceiling drops no more than it must, the longest unused first', () => {
  const records = [record('a', 1), record('b', 3), record('c', 2), record('held', 9, { isInUse: true })]
  assert.deepEqual(drops(records, { maxUsedBytes: 40 }), [])
  assert.deepEqual(drops(records, { maxUsedBytes: 25 }), ['b', 'c'])
  assert.deepEqual(drops(records, { maxUsedBytes: 1 }), ['b', 'c', 'a'])
  assert.deepEqual(drops(records, { maxUsedBytes: 1, reservedBytes: 30 }), ['b'])
  assert.deepEqual(drops(records, { reservedBytes: 20 }), ['b', 'c'])
})

test('planPrune() keeps so much of the disk free as a rule says, and no more', () => {
  const records = [record('a', 1), record('b', 2)]
  assert.deepEqual(drops(records, { minFreeBytes: 100 }, 100), [])
  assert.deepEqual(drops(records, { minFreeBytes: 100 }, 95), ['b'])
  assert.deepEqual(drops(records, { minFreeBytes: 100, reservedBytes: 20 }, 0), [])
})

test('planPrune() drops what stands on a record before it, and nothing that young ones stand on', () => {
  const chain = [
    record('base', 9),
    record('middle', 8, { parents: ['base'] }),
    record('top', 1, { parents: ['middle'] }),
  ]
  const old = record('old', 5)
  assert.deepEqual(drops([...chain, old], { maxUsedBytes: 30 }), ['old'])
  assert.deepEqual(drops([...chain, old], { maxUsedBytes: 10 }), ['old', 'top', 'middle'])
})

test('planPrune() takes what images have too for no use of the disk', () => {
  const records = [record('shared', 9, { isShared: true }), record('own', 1)]
  assert.deepEqual(drops(records, { maxUsedBytes: 10 }), [])
})

test('planPrune() ends with parents that go in a circle', () => {
  const records = [record('a', 1, { parents: ['b'] }), record('b', 2, { parents: ['a'] })]
  assert.deepEqual(drops(records, { maxUsedBytes: 1 }).toSorted(), ['a', 'b'])
})
