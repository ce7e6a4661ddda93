import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '@berth/oci'
import { Leases } from './leases.ts'
import { planSweep } from './plan-sweep.ts'

const [a, b, c, d] = [sha256('a'), sha256('b'), sha256('c'), sha256('d')]

const snapshots = [
  { chainId: a, parent: undefined, createdMs: 1 },
  { chainId: b, parent: a, createdMs: 2 },
  { chainId: c, parent: b, createdMs: 3 },
  { chainId: d, parent: a, createdMs: 4 },
]
const blobs = [
  { digest: a, modifiedMs: 1 },
  { digest: b, modifiedMs: 5 },
]

test('planSweep() frees what no root reaches, children first', () => {
  const plan = planSweep({ blobs, snapshots, roots: [{ blobs: [b], chainIds: [d] }], olderThanMs: undefined })
  assert.deepEqual(plan, { blobs: [a], snapshots: [c, b] })
})

test('planSweep() keeps the parents of what a root names', () => {
  const roots = [{ blobs: [], chainIds: [c] }]
  assert.deepEqual(planSweep({ blobs: [], snapshots, roots, olderThanMs: undefined }).snapshots, [d])
})

test('planSweep() leaves alone what came after the oldest lease, and what that stands on', () => {
  const plan = planSweep({ blobs, snapshots, roots: [], olderThanMs: 4 })
  assert.deepEqual(plan, { blobs: [a], snapshots: [c, b] })
})

test('planSweep() takes roots that are not there', () => {
  const roots = [{ blobs: [d], chainIds: [sha256('elsewhere')] }]
  assert.equal(planSweep({ blobs, snapshots, roots, olderThanMs: undefined }).snapshots.length, 4)
})

test('Leases.oldestMs() and kept() know the leases that are held', () => {
  const leases = new Leases()
  assert.equal(leases.oldestMs(), undefined)
  {
    using lease = leases.acquire()
    lease.keep(a, b)
    assert.ok((leases.oldestMs() ?? 0) > 0)
    assert.deepEqual(leases.kept(), new Set([a, b]))
  }
  assert.equal(leases.oldestMs(), undefined)
  assert.deepEqual(leases.kept(), new Set())
})
