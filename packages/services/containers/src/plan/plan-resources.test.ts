import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from './fixtures.ts'
import { blockDevicePaths, parseDeviceRule, planResources } from './plan-resources.ts'

const resourcesOf = (hostConfig: object) => plan({ hostConfig }).hostConfig

test('planResources() says nothing that was not asked for', () => {
  assert.deepEqual(planResources(resourcesOf({})), {})
})

test('planResources() maps memory, processors and processes', () => {
  const limits = {
    Memory: 67108864,
    MemoryReservation: 33554432,
    MemorySwappiness: 0,
    OomKillDisable: true,
    NanoCpus: 1.5e9,
    CpuShares: 1,
    CpusetCpus: '0',
    CpusetMems: '0',
    CpuRealtimePeriod: 1000,
    CpuRealtimeRuntime: 500,
    PidsLimit: 7,
  }
  assert.deepEqual(planResources(resourcesOf(limits)), {
    memory: { limit: 67108864, reservation: 33554432, swap: 134217728, swappiness: 0, disableOOMKiller: true },
    cpu: { shares: 2, period: 100000, quota: 150000, realtimePeriod: 1000, realtimeRuntime: 500, cpus: '0', mems: '0' },
    pids: { limit: 7 },
  })
  for (const PidsLimit of [0, -1]) assert.deepEqual(planResources(resourcesOf({ PidsLimit })).pids, undefined)
})

test('planResources() keeps unlimited swap and quota as -1', () => {
  assert.deepEqual(planResources(resourcesOf({ Memory: 67108864, MemorySwap: -2, CpuQuota: -1 })), {
    memory: { limit: 67108864, swap: -1 },
    cpu: { quota: -1 },
  })
})

test('planResources() limits block devices by number', () => {
  const hostConfig = resourcesOf({
    BlkioWeight: 500,
    BlkioWeightDevice: [{ Path: '/dev/vda', Weight: 10 }],
    BlkioDeviceReadBps: [{ Path: '/dev/vdb', Rate: 1000 }],
  })
  assert.deepEqual(blockDevicePaths(hostConfig), ['/dev/vda', '/dev/vdb'])
  const numbers = { '/dev/vda': { major: 254, minor: 0 }, '/dev/vdb': { major: 254, minor: 16 } }
  assert.deepEqual(planResources(hostConfig, numbers).blockIO, {
    weight: 500,
    weightDevice: [{ major: 254, minor: 0, weight: 10 }],
    throttleReadBpsDevice: [{ major: 254, minor: 16, rate: 1000 }],
  })
  assert.throws(() => planResources(hostConfig), { kind: 'invalid' })
})

test('parseDeviceRule() reads stars as any number', () => {
  assert.deepEqual(parseDeviceRule('c 42:* rmw'), { type: 'c', major: 42, minor: -1, access: 'rmw' })
  for (const rule of ['foo', 'c 1:3 rwx', 'd 1:3 r', 'c 1 r', 'c 1:3 ']) {
    assert.throws(() => parseDeviceRule(rule), { message: `invalid device cgroup rule format: '${rule}'` })
  }
})
