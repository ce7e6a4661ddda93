import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { UpdateRequest } from '../containers.ts'
import { factsOfV2, plan, testFacts, testId } from './fixtures.ts'
import { planUpdate } from './plan-update.ts'

const M = 67108864
const update = (before: object, request: UpdateRequest, facts = testFacts) =>
  planUpdate({ id: testId, hostConfig: plan({ hostConfig: before }).hostConfig }, request, facts)

test('planUpdate() changes what is given and keeps the rest', () => {
  const { hostConfig, resources, warnings } = update({ CpuShares: 512, Memory: M }, { PidsLimit: 10, CpuShares: 0 })
  assert.deepEqual([hostConfig.PidsLimit, hostConfig.CpuShares, hostConfig.Memory], [10, 512, M])
  assert.deepEqual(resources, { memory: { limit: M, swap: 2 * M }, cpu: { shares: 512 }, pids: { limit: 10 } })
  assert.deepEqual(warnings, [])
})

test('planUpdate() leaves the kernel alone when only the restart policy changes', () => {
  const { hostConfig, resources } = update({}, { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } })
  assert.deepEqual(hostConfig.RestartPolicy, { Name: 'on-failure', MaximumRetryCount: 3 })
  assert.equal(resources, undefined)
  assert.equal(update({ RestartPolicy: { Name: 'always' } }, {}).hostConfig.RestartPolicy.Name, 'always')
})

test('planUpdate() lifts the limit of processes with 0 and -1', () => {
  for (const PidsLimit of [0, -1]) {
    const { hostConfig, resources } = update({ PidsLimit: 10 }, { PidsLimit })
    assert.deepEqual([hostConfig.PidsLimit, resources], [0, { pids: { limit: -1 } }])
  }
})

test('planUpdate() refuses with a conflict what contradicts limits of before', () => {
  const swap =
    'Memory limit should be smaller than already set memoryswap limit, update the memoryswap at the same time'
  const already = (what: string, other: string) =>
    `Conflicting options: ${what} cannot be updated as ${other} has already been set`
  const cases: [object, UpdateRequest, string][] = [
    [{}, { Memory: M }, swap],
    [{ Memory: M }, { Memory: 4 * M }, swap],
    [{ CpuPeriod: 100000 }, { NanoCpus: 5e8 }, already('Nano CPUs', 'CPU Period')],
    [{ CpuQuota: 100000 }, { NanoCpus: 5e8 }, already('Nano CPUs', 'CPU Quota')],
    [{ NanoCpus: 5e8 }, { CpuPeriod: 100000 }, already('CPU Period', 'NanoCPUs')],
    [{ NanoCpus: 5e8 }, { CpuQuota: 100000 }, already('CPU Quota', 'NanoCPUs')],
    [
      { AutoRemove: true },
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 0 } },
      'Restart policy cannot be updated because AutoRemove is enabled for the container',
    ],
  ]
  for (const [before, request, reason] of cases) {
    assert.throws(() => update(before, request), {
      kind: 'conflict',
      message: `Cannot update container ${testId}: ${reason}`,
    })
  }
})

test('planUpdate() lets memory grow when swap is given too, or has no limit', () => {
  assert.equal(update({ Memory: M }, { Memory: 4 * M, MemorySwap: 8 * M }).hostConfig.Memory, 4 * M)
  assert.equal(update({ Memory: M, MemorySwap: -1 }, { Memory: 4 * M }).hostConfig.Memory, 4 * M)
  assert.equal(update({ Memory: M }, { MemorySwap: -1 }).hostConfig.MemorySwap, -1)
})

test('planUpdate() refuses values that cannot be and what is set at create for good', () => {
  const cases: [UpdateRequest, string][] = [
    [{ Memory: 100 }, 'Minimum memory limit allowed is 6MB'],
    [{ CpusetCpus: '9' }, 'Requested CPUs are not available - requested 9, available: 0-1'],
    [
      { RestartPolicy: { Name: 'always', MaximumRetryCount: 3 } },
      "invalid restart policy: maximum retry count can only be used with 'on-failure'",
    ],
    [{ Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }] }, 'Ulimits cannot be updated'],
    [{ CgroupParent: '/x' }, 'CgroupParent cannot be updated'],
  ]
  for (const [request, message] of cases) assert.throws(() => update({}, request), { kind: 'invalid', message })
  assert.deepEqual(update({}, { Ulimits: [], Devices: null, CgroupParent: '' }).resources, undefined)
})

test('planUpdate() warns of what the host cannot do', () => {
  const facts = { ...factsOfV2, cgroup: { ...factsOfV2.cgroup, hasBlkioWeight: false } }
  const { hostConfig, warnings } = update({}, { BlkioWeight: 500 }, facts)
  assert.equal(hostConfig.BlkioWeight, 0)
  assert.deepEqual(warnings, [
    'Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.',
  ])
})
