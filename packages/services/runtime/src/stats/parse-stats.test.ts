import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cpuUsageV1, cpuUsageV2, memoryUsage, parseBlkioV1, parseIoStat, parseSystemCpu } from './parse-stats.ts'

const system = { usageNs: 100, onlineCpus: 2 }

test('parseSystemCpu() adds user to softirq and counts processors', () => {
  const text = 'cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1\ncpu1 1 1 1 1\nintr 5\n'
  assert.deepEqual(parseSystemCpu(text), { usageNs: 280_000_000, onlineCpus: 2 })
})

test('cpuUsageV1() reads nanoseconds, ticks and throttling', () => {
  const files = {
    usage: '29113371\n',
    usagePerCpu: '27268720 1844651 \n',
    acctStat: 'user 1\nsystem 3\n',
    cpuStat: 'nr_periods 5\nnr_throttled 2\nthrottled_time 7\nnr_bursts 0\n',
  }
  assert.deepEqual(cpuUsageV1(files, system), {
    cpu_usage: {
      total_usage: 29113371,
      percpu_usage: [27268720, 1844651],
      usage_in_kernelmode: 30_000_000,
      usage_in_usermode: 10_000_000,
    },
    system_cpu_usage: 100,
    online_cpus: 2,
    throttling_data: { periods: 5, throttled_periods: 2, throttled_time: 7 },
  })
})

test('cpuUsageV2() turns microseconds into nanoseconds', () => {
  const text = 'usage_usec 10\nuser_usec 7\nsystem_usec 3\nnr_periods 1\nnr_throttled 1\nthrottled_usec 4\n'
  assert.deepEqual(cpuUsageV2(text, system), {
    cpu_usage: { total_usage: 10_000, usage_in_kernelmode: 3000, usage_in_usermode: 7000 },
    system_cpu_usage: 100,
    online_cpus: 2,
    throttling_data: { periods: 1, throttled_periods: 1, throttled_time: 4000 },
  })
})

test('memoryUsage() takes the machine for the limit where there is none', () => {
  const files = {
    usage: '10\n',
    maxUsage: '20\n',
    failCount: 3,
    limit: '9223372036854771712\n',
    stat: 'cache 1\nrss 2\n',
  }
  assert.deepEqual(memoryUsage(files, 1000), {
    usage: 10,
    max_usage: 20,
    failcnt: 3,
    limit: 1000,
    stats: { cache: 1, rss: 2 },
  })
  assert.equal(memoryUsage({ usage: '1', limit: 'max\n', stat: '' }, 1000).limit, 1000)
  assert.equal(memoryUsage({ usage: '1', limit: '500\n', stat: '' }, 1000).limit, 500)
})

test('parseBlkioV1() leaves out the total that names no device', () => {
  assert.deepEqual(parseBlkioV1('254:0 Read 5\n254:0 Total 5\nTotal 5\n'), [
    { major: 254, minor: 0, op: 'Read', value: 5 },
    { major: 254, minor: 0, op: 'Total', value: 5 },
  ])
  assert.deepEqual(parseBlkioV1(undefined), [])
})

test('parseIoStat() reads bytes read and written of each device', () => {
  assert.deepEqual(parseIoStat('8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n'), [
    { major: 8, minor: 16, op: 'read', value: 1459200 },
    { major: 8, minor: 16, op: 'write', value: 314773504 },
  ])
})
