import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Reaper } from '../process/reaper.ts'
import { spawnProcess } from '../process/spawn.ts'
import { cgroupProcesses, freezeCgroup, killCgroupTree, removeCgroup, thawCgroup } from './cgroup.ts'
import { type Cgroups, detectCgroups } from './detect.ts'
import { oomKillCount, watchOom } from './oom.ts'

// On a machine with version 1 beside it, the v2 tree has no controllers; the rest of it is the real thing.
const unified = detectCgroups().unified
const v2: Cgroups = { version: 2, controllers: new Map(), unified, mountPoints: unified === undefined ? [] : [unified] }
const options = { skip: unified === undefined && 'no v2 tree' }
const cgroupsPath = `/berth-linux-v2-${process.pid}`
const path = join(unified ?? '', cgroupsPath)
const reaper = new Reaper()
const devNull = openSync('/dev/null', 'r+')
const alive = setInterval(() => {}, 1e6)
after(() => {
  reaper[Symbol.dispose]()
  clearInterval(alive)
  assert.equal(existsSync(path), false)
})

/** A shell in the cgroup `directory`. */
function shellIn(directory: string, script: string): number {
  const pid = spawnProcess({ path: '/bin/sh', args: ['-c', script], fds: [devNull, devNull, devNull] })
  writeFileSync(join(directory, 'cgroup.procs'), `${pid}`)
  return pid
}

const isFrozen = (): boolean => /^frozen 1$/m.test(readFileSync(join(path, 'cgroup.events'), 'latin1'))

test('freezeCgroup() and thawCgroup() stop and continue a v2 cgroup', options, async () => {
  mkdirSync(path)
  const pid = shellIn(path, 'while :; do :; done')
  assert.deepEqual(cgroupProcesses(v2, cgroupsPath), [pid])
  await freezeCgroup(v2, cgroupsPath)
  assert.equal(isFrozen(), true)
  await thawCgroup(v2, cgroupsPath)
  assert.equal(isFrozen(), false)
  await freezeCgroup(v2, cgroupsPath)
  assert.equal(killCgroupTree(v2, cgroupsPath), true)
  assert.equal((await reaper.exit(pid)).signal, 9)
  await removeCgroup(v2, cgroupsPath)
})

test('killCgroupTree() ends what is in child cgroups and what forks', options, async () => {
  mkdirSync(join(path, 'child'), { recursive: true })
  const pids = [shellIn(path, 'exec sleep 100'), shellIn(join(path, 'child'), 'while :; do (:) & done')]
  assert.equal(killCgroupTree(v2, cgroupsPath), true)
  for (const pid of pids) assert.equal((await reaper.exit(pid)).signal, 9)
  await removeCgroup(v2, cgroupsPath)
  assert.equal(killCgroupTree(v2, cgroupsPath), false)
})

test('a v2 tree tells of events by inotify', options, async () => {
  mkdirSync(path)
  const { promise, resolve } = Promise.withResolvers<void>()
  const watcher = watch(join(path, 'cgroup.events'), () => resolve())
  const pid = shellIn(path, 'exec sleep 100')
  await promise
  watcher.close()
  killCgroupTree(v2, cgroupsPath)
  await reaper.exit(pid)
  await removeCgroup(v2, cgroupsPath)
})

test('watchOom() tells when memory.events counts another kill', async () => {
  const root = mkdtempSync(join(tmpdir(), 'berth-v2-'))
  const file = join(root, 'c', 'memory.events')
  const events = (kills: number) => `low 0\nhigh 0\nmax 9\noom 3\noom_kill ${kills}\noom_group_kill 0\n`
  mkdirSync(join(root, 'c'))
  writeFileSync(file, events(1))
  const memory: Cgroups = { ...v2, controllers: new Map([['memory', root]]), unified: root }
  const { promise, resolve } = Promise.withResolvers<void>()
  const told: number[] = []
  using _ = watchOom(memory, '/c', () => {
    told.push(oomKillCount(memory, '/c'))
    if (told.at(-1) === 3) resolve()
  })
  writeFileSync(file, events(1), { flag: 'r+' })
  writeFileSync(file, events(3), { flag: 'r+' })
  await promise
  assert.deepEqual(told, [3])
  rmSync(root, { recursive: true })
})
