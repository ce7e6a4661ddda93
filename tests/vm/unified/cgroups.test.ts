// A machine with cgroups of version 2 alone: limits, events and processes of containers.
import { Cli, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('berth', engine)

const MiB = 2 ** 20

interface Inspected {
  readonly Id: string
  readonly State: { Status: string; OOMKilled: boolean; ExitCode: number; Pid: number; Health?: { Status: string } }
}

interface Stats {
  readonly memory_stats: { usage: number; limit: number; stats: { file: number } }
  readonly cpu_stats: { cpu_usage: { total_usage: number } }
  readonly pids_stats: object
  readonly blkio_stats: { io_service_bytes_recursive: { op: string; value: number }[] }
}

const inspect = async (name: string): Promise<Inspected> =>
  (await engine.api.json('GET', `/containers/${name}/json`)) as Inspected

/** The host's directory of a container's cgroup. */
const cgroupOf = async (name: string): Promise<string> =>
  join('/sys/fs/cgroup', engine.daemon!.sandbox.name, (await inspect(name)).Id)

/** What the kernel holds the container to. */
async function limits(name: string, ...files: string[]): Promise<string[]> {
  const directory = await cgroupOf(name)
  return files.map((file) => readFileSync(join(directory, file), 'utf8').trim())
}

async function start(...options: string[]): Promise<string> {
  const name = engine.name()
  await cli.ok('run', '-d', '--name', name, ...options, 'busybox', 'sleep', '10000')
  return name
}

const remove = (...names: string[]): Promise<string> => cli.ok('rm', '-f', ...names)

test('info tells of cgroups of version 2, and misses nothing that they have', async () => {
  const info = (await engine.api.json('GET', '/info')) as Record<string, unknown>
  const { CgroupVersion, MemoryLimit, SwapLimit, CpuCfsQuota, CPUSet, PidsLimit, Warnings } = info
  assert.deepEqual(
    { CgroupVersion, MemoryLimit, SwapLimit, CpuCfsQuota, CPUSet, PidsLimit, Warnings },
    {
      CgroupVersion: '2',
      MemoryLimit: true,
      SwapLimit: true,
      CpuCfsQuota: true,
      CPUSet: true,
      PidsLimit: true,
      Warnings: null,
    },
  )
})

test('a container sees its own cgroup as the root, read-only; with --cgroupns host it sees where it is', async () => {
  const look = 'cat /proc/self/cgroup; cat /sys/fs/cgroup/cgroup.procs | head -1; mkdir /sys/fs/cgroup/x'
  const own = await cli.run(['run', '--rm', 'busybox', 'sh', '-c', look])
  assert.deepEqual([own.stdout, own.code], ['0::/\n1\n', 1])
  assert.match(own.stderr, /Read-only file system/)
  const name = engine.name()
  const host = ['--name', name, '--cgroupns', 'host']
  assert.match(
    await cli.ok('run', '--rm', ...host, 'busybox', 'cat', '/proc/self/cgroup'),
    new RegExp(`^0::/${engine.daemon!.sandbox.name}/[0-9a-f]{64}$`),
  )
  const writable = ['--security-opt', 'writable-cgroups=true']
  await cli.ok('run', '--rm', ...writable, 'busybox', 'mkdir', '/sys/fs/cgroup/x')
})

test('limits of a start are the kernel’s, and seen inside', async () => {
  const memory = ['--memory', '64m', '--memory-swap', '96m', '--memory-reservation', '32m']
  const cpu = ['--cpus', '0.5', '--cpu-shares', '512', '--cpuset-cpus', '1']
  const name = await start(...memory, ...cpu, '--pids-limit', '50')
  const files = ['memory.max', 'memory.swap.max', 'memory.low', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'pids.max']
  const expected = [64 * MiB, 32 * MiB, 32 * MiB, '50000 100000', 20, 1, 50].map(String)
  assert.deepEqual(await limits(name, ...files), expected)
  const inside = ['cat', ...files.map((file) => `/sys/fs/cgroup/${file}`)]
  assert.deepEqual((await cli.ok('exec', name, ...inside)).split('\n'), expected)
  await remove(name)
})

test('limits of a device are the kernel’s', async () => {
  const rates = ['--device-read-bps', '/dev/vda:1mb', '--device-write-bps', '/dev/vda:2mb']
  const counts = ['--device-read-iops', '/dev/vda:30', '--device-write-iops', '/dev/vda:40']
  const name = await start(...rates, ...counts)
  const [line = ''] = await limits(name, 'io.max')
  assert.match(line, /^\d+:0 rbps=1048576 wbps=2097152 riops=30 wiops=40$/)
  await remove(name)
})

test('update changes the limits of a running container', async () => {
  const name = await start('--memory', '64m', '--memory-swap', '64m')
  const files = ['memory.max', 'memory.swap.max', 'memory.low', 'cpu.max', 'cpu.weight', 'cpuset.cpus', 'pids.max']
  const memory = ['--memory', '128m', '--memory-swap', '256m', '--memory-reservation', '16m']
  await cli.ok(
    'update',
    ...memory,
    '--cpus',
    '1.5',
    '--cpu-shares',
    '2048',
    '--cpuset-cpus',
    '0',
    '--pids-limit',
    '77',
    name,
  )
  const expected = [128 * MiB, 128 * MiB, 16 * MiB, '150000 100000', 79, 0, 77].map(String)
  assert.deepEqual(await limits(name, ...files), expected)
  await cli.ok('update', '--memory', '64m', '--memory-swap', '-1', '--pids-limit', '-1', name)
  assert.deepEqual(await limits(name, 'memory.max', 'memory.swap.max', 'pids.max'), [`${64 * MiB}`, 'max', 'max'])
  await remove(name)
})

test('a process that takes too much memory is killed, and the container says so', async () => {
  const name = engine.name()
  const hungry = ['sh', '-c', 'head -c 200000000 /dev/zero | tail']
  const since = String(Date.now() / 1000 - 1)
  const limit = ['--memory', '16m', '--memory-swap', '16m']
  assert.notEqual((await cli.run(['run', '--name', name, ...limit, 'busybox', ...hungry])).code, 0)
  assert.equal((await inspect(name)).State.OOMKilled, true)
  const range = ['--since', since, '--until', String(Date.now() / 1000 + 1)]
  const events = await cli.ok('events', ...range, '--filter', `container=${name}`, '--format', '{{.Action}}')
  assert.ok(events.split('\n').includes('oom'), events)
  await remove(name)
})

test('pause stops every process, also of an exec, and unpause lets them go on', async () => {
  const name = await start()
  await cli.ok('exec', '-d', name, 'sh', '-c', 'while :; do echo >>/count; sleep 0.01; done')
  await until(async () => (await limits(name, 'cgroup.procs'))[0]!.split('\n').length > 1)
  await cli.ok('pause', name)
  assert.equal((await inspect(name)).State.Status, 'paused')
  const frozen = async () => /^frozen 1$/m.test((await limits(name, 'cgroup.events'))[0]!)
  assert.equal(await frozen(), true)
  assert.match(await cli.fails('exec', name, 'true'), /is paused/)
  await cli.ok('unpause', name)
  assert.equal(await frozen(), false)
  await cli.ok('exec', name, 'true')
  await cli.ok('pause', name)
  await remove(name)
})

test('stats count memory, cpu, processes and what is written', async () => {
  const name = await start('--memory', '64m', '--pids-limit', '20', '--mount', 'type=volume,target=/data')
  await cli.ok('exec', name, 'sh', '-c', 'dd if=/dev/zero of=/data/f bs=1M count=8 conv=fsync 2>/dev/null')
  const { memory_stats, cpu_stats, pids_stats, blkio_stats } = (await engine.api.json(
    'GET',
    `/containers/${name}/stats?stream=false`,
  )) as Stats
  assert.equal(memory_stats.limit, 64 * MiB)
  assert.ok(memory_stats.usage > 8 * MiB && memory_stats.stats.file >= 8 * MiB)
  assert.ok(cpu_stats.cpu_usage.total_usage > 1e6)
  assert.deepEqual(pids_stats, { current: 1, limit: 20 })
  const writes = blkio_stats.io_service_bytes_recursive.filter(({ op }) => op === 'write')
  assert.ok(writes.some(({ value }) => value >= 8 * MiB))
  await cli.ok('rm', '-f', '-v', name)
})

test('an exec is in the cgroup of its container, within its limits, and top shows both', async () => {
  const name = await start('--pids-limit', '4')
  await cli.ok('exec', '-d', name, 'sleep', '20000')
  assert.equal(await cli.ok('exec', name, 'cat', '/proc/self/cgroup'), '0::/')
  const shown = (await cli.ok('top', name, '-o', 'pid,args')).split('\n').map((line) => line.replace(/^\s*\d+\s+/, ''))
  assert.deepEqual(shown.slice(1), ['sleep 10000', 'sleep 20000'])
  const many = 'for i in 1 2 3 4 5 6; do sleep 5 & done'
  assert.match((await cli.run(['exec', name, 'sh', '-c', many])).stderr, /can't fork/)
  await remove(name)
})

test('a health check makes a container healthy', async () => {
  const name = await start('--health-cmd', 'test -e /proc/1', '--health-interval', '200ms')
  await until(async () => (await inspect(name)).State.Health?.Status === 'healthy', 30_000)
  await remove(name)
})

test('a privileged container has a cgroup of its own that it may write', async () => {
  const make = 'mkdir /sys/fs/cgroup/sub && cat /sys/fs/cgroup/sub/cgroup.procs && cat /proc/self/cgroup'
  assert.equal(await cli.ok('run', '--rm', '--privileged', 'busybox', 'sh', '-c', make), '0::/')
})

test('devices that were not given can be made, but neither read nor written', async () => {
  const read = 'mknod /d b $(echo 254) 0; head -c 1 /d'
  const { code, stderr } = await cli.run(['run', '--rm', 'busybox', 'sh', '-c', read])
  assert.equal(code, 1)
  assert.match(stderr, /Operation not permitted/)
})

test('containers outlive a berthd that is killed, with their limits, and are watched by the next one', async () => {
  const limited = await start('--memory', '16m', '--memory-swap', '16m')
  const paused = await start()
  await cli.ok('pause', paused)
  const { Pid } = (await inspect(limited)).State
  await engine.daemon!.kill('SIGKILL')
  await engine.daemon!.start()
  assert.equal((await inspect(limited)).State.Pid, Pid)
  assert.equal((await inspect(paused)).State.Status, 'paused')
  await cli.ok('unpause', paused)
  assert.equal(await cli.ok('exec', paused, 'echo', 'alive'), 'alive')
  await cli.ok('update', '--memory', '24m', '--memory-swap', '24m', limited)
  assert.deepEqual(await limits(limited, 'memory.max'), [`${24 * MiB}`])
  await cli.run(['exec', limited, 'sh', '-c', 'head -c 200000000 /dev/zero | tail'])
  await cli.ok('stop', '-t', '0', limited)
  assert.equal((await inspect(limited)).State.OOMKilled, true)
  await remove(limited, paused)
})

test('a container that is gone has left no cgroup', async () => {
  const name = await start()
  const directory = await cgroupOf(name)
  assert.equal(existsSync(directory), true)
  await remove(name)
  assert.equal(existsSync(directory), false)
})

test('a RUN of a build has a cgroup within its limits', async () => {
  const text = 'FROM busybox\nRUN cat /proc/self/cgroup /sys/fs/cgroup/memory.max >/facts\n'
  const image = engine.name()
  const built = await cli.run(['build', '-q', '-t', image, '--memory', '64m', '-'], { input: text })
  assert.equal(built.code, 0, built.stderr)
  assert.deepEqual((await cli.ok('run', '--rm', image, 'cat', '/facts')).split('\n'), ['0::/', `${64 * MiB}`])
  await cli.ok('rmi', image)
})
