import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdirSync, openSync, rmdirSync, writeFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { pipe } from '../process/descriptors.ts'
import { killPid } from '../process/process.ts'
import { Reaper } from '../process/reaper.ts'
import { spawnProcess } from '../process/spawn.ts'
import { isMountPoint } from '../file/statx.ts'
import { cgroupPaths, cgroupProcesses, controllerPath, freezeCgroup, removeCgroup, thawCgroup } from './cgroup.ts'
import { detectCgroups } from './detect.ts'
import { oomKillCount, watchOom } from './oom.ts'
import { adoptStrayControllers, releaseStrayControllers } from './stray-controllers.ts'

const cgroups = detectCgroups()
const cgroupsPath = `/berth-linux-test-${process.pid}`
const reaper = new Reaper()
const devNull = openSync('/dev/null', 'r+')
const alive = setInterval(() => {}, 1e6)
after(() => {
  reaper[Symbol.dispose]()
  closeSync(devNull)
  clearInterval(alive)
  assert.deepEqual(
    cgroupPaths(cgroups, cgroupsPath).filter((path) => existsSync(path)),
    [],
  )
})

const make = (): void => {
  cgroupPaths(cgroups, cgroupsPath).forEach((path) => mkdirSync(path, { recursive: true }))
  if (cgroups.version === 2) writeFileSync(`${cgroups.unified}/cgroup.subtree_control`, '+memory')
}
const shell = (script: string, input = devNull): number =>
  spawnProcess({ path: '/bin/sh', args: ['-c', script], fds: [input, devNull, devNull] })
const join = (pid: number): void => {
  for (const path of cgroupPaths(cgroups, cgroupsPath)) {
    // A v1 cpuset takes no process before it has been given cpus and memory nodes.
    if (cgroups.version === 2 || cgroups.controllers.get('cpuset') !== path.slice(0, -cgroupsPath.length))
      writeFileSync(`${path}/cgroup.procs`, `${pid}`)
  }
}

test('freezeCgroup(), cgroupProcesses(), thawCgroup() and removeCgroup() work with processes and children', async () => {
  make()
  const pid = shell('exec sleep 100')
  join(pid)
  assert.deepEqual(cgroupProcesses(cgroups, cgroupsPath), [pid])
  await freezeCgroup(cgroups, cgroupsPath)
  await thawCgroup(cgroups, cgroupsPath)
  for (const path of cgroupPaths(cgroups, cgroupsPath)) mkdirSync(`${path}/child`)
  killPid(pid, 9)
  await reaper.exit(pid)
  await removeCgroup(cgroups, cgroupsPath)
  await removeCgroup(cgroups, cgroupsPath)
  assert.deepEqual(cgroupProcesses(cgroups, cgroupsPath), [])
})

test('removeCgroup() says EBUSY while a process is in it', async () => {
  make()
  const pid = shell('exec sleep 100')
  join(pid)
  await assert.rejects(removeCgroup(cgroups, cgroupsPath), { code: 'EBUSY' })
  killPid(pid, 9)
  await reaper.exit(pid)
  await removeCgroup(cgroups, cgroupsPath)
})

const memory = controllerPath(cgroups, 'memory', cgroupsPath)

test(
  'watchOom() tells of an OOM kill, and oomKillCount() counts it',
  { skip: !memory && 'no memory controller' },
  async () => {
    make()
    const limit = cgroups.version === 2 ? 'memory.max' : 'memory.limit_in_bytes'
    writeFileSync(`${memory}/${limit}`, `${8 << 20}`)
    const { promise, resolve } = Promise.withResolvers<void>()
    using _ = watchOom(cgroups, cgroupsPath, resolve)
    const [read, write] = pipe()
    const pid = shell('read go; head -c 200000000 /dev/zero | tail', read)
    closeSync(read)
    join(pid)
    closeSync(write)
    await promise
    await reaper.exit(pid)
    assert.ok(oomKillCount(cgroups, cgroupsPath) >= 1)
    await removeCgroup(cgroups, cgroupsPath)
    assert.equal(oomKillCount(cgroups, cgroupsPath), 0)
  },
)

test('adoptStrayControllers() leaves the v2 tree of a hybrid without controllers, and can be undone', () => {
  const mountPoints = adoptStrayControllers()
  assert.deepEqual(adoptStrayControllers(), [])
  assert.deepEqual(
    mountPoints.filter((path) => !isMountPoint(path)),
    [],
  )
  const [idle, busy] = ['idle', 'busy'].map((name) => `/berth-stray-${process.pid}-${name}`) as [string, string]
  for (const path of mountPoints) mkdirSync(`${path}${busy}/child`, { recursive: true })
  for (const path of mountPoints) mkdirSync(`${path}${idle}`)
  releaseStrayControllers(mountPoints, busy)
  const again = adoptStrayControllers()
  assert.deepEqual(again, mountPoints)
  releaseStrayControllers(again, idle)
  assert.deepEqual(adoptStrayControllers(), mountPoints)
  const left = mountPoints.map((path) => [idle, busy].filter((name) => existsSync(`${path}${name}`)))
  assert.deepEqual(
    left,
    mountPoints.map(() => [busy]),
  )
  for (const path of mountPoints) rmdirSync(`${path}${busy}/child`)
  releaseStrayControllers(mountPoints, busy)
  assert.deepEqual(
    mountPoints.filter((path) => existsSync(path) && isMountPoint(path)),
    [],
  )
})
