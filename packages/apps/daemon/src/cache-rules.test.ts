import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheRules } from './cache-rules.ts'

const gb = 2 ** 30

test('cacheRules() has dockerd’s four rules by the size of the disk', () => {
  const limits = { reservedBytes: 10 * gb, maxUsedBytes: 80 * gb, minFreeBytes: 20 * gb }
  const [mounts, ...others] = cacheRules({}, 100 * gb)
  assert.deepEqual(mounts, {
    all: false,
    filters: ['type==source.local', 'type==exec.cachemount'],
    unusedForMs: 172_800_000,
    reservedBytes: 0,
    maxUsedBytes: 1_483_651_379,
    minFreeBytes: 0,
  })
  assert.deepEqual(others, [
    { all: false, filters: [], unusedForMs: 5_184_000_000, ...limits },
    { all: false, filters: [], unusedForMs: 0, ...limits },
    { all: true, filters: [], unusedForMs: 0, ...limits },
  ])
})

test('cacheRules() keeps what daemon.json says, or none', () => {
  const none = { reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 }
  assert.deepEqual(cacheRules({ gc: { defaultKeepStorage: '1GB' } }, 100 * gb).at(-1), {
    ...none,
    all: true,
    filters: [],
    unusedForMs: 0,
    reservedBytes: gb,
  })
  const policy = [
    { filter: ['unused-for=1h', 'type=regular'], maxUsedSpace: '1k' },
    { all: true, keepStorage: '2k' },
  ]
  assert.deepEqual(cacheRules({ gc: { policy } }, gb), [
    { ...none, all: false, filters: ['type=="regular"'], unusedForMs: 3_600_000, maxUsedBytes: 1024 },
    { ...none, all: true, filters: [], unusedForMs: 0, reservedBytes: 2048 },
  ])
  assert.deepEqual(cacheRules({ gc: { enabled: false } }, gb), [])
})

test('cacheRules() names what is wrong', () => {
  assert.throws(() => cacheRules({ gc: { defaultKeepStorage: 'x' } }, gb), /builder.gc keepStorage: invalid size/)
  assert.throws(() => cacheRules({ gc: { policy: [{ filter: ['x'] }] } }, gb), /bad format of filter/)
  assert.throws(() => cacheRules({ gc: { policy: [{ filter: ['x=y'] }] } }, gb), /invalid filter 'x'/)
})
