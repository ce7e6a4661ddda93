import assert from 'node:assert/strict'
import { mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Cgroups, detectCgroups, killCgroupTree, Reaper, removeCgroup, spawnProcess } from '@berth/linux'
import { readStats } from './read-stats.ts'

const { unified } = detectCgroups()

test(
  'readStats() reads a v2 cgroup, and takes controllers that it has not for nothing used',
  {
    skip: unified === undefined && 'no v2 tree',
  },
  async () => {
    const cgroups: Cgroups = { version: 2, controllers: new Map(), unified, mountPoints: [unified!] }
    const cgroupsPath = `/berth-stats-${process.pid}`
    const path = join(unified!, cgroupsPath)
    using reaper = new Reaper()
    mkdirSync(path)
    const nul = openSync('/dev/null', 'r+')
    const pid = spawnProcess({ path: '/bin/sh', args: ['-c', 'while :; do :; done'], fds: [nul, nul, nul] })
    writeFileSync(join(path, 'cgroup.procs'), `${pid}`)
    let used = 0
    while (used < 20_000_000) used = (await readStats(cgroupsPath, cgroups)).cpu_stats.cpu_usage.total_usage
    const { cpu_stats, memory_stats, pids_stats, blkio_stats } = await readStats(cgroupsPath, cgroups)
    const { total_usage, usage_in_kernelmode, usage_in_usermode } = cpu_stats.cpu_usage
    assert.ok(total_usage > 0 && Math.abs(total_usage - usage_in_kernelmode - usage_in_usermode) < 100_000)
    assert.ok((cpu_stats.system_cpu_usage ?? 0) > total_usage)
    assert.deepEqual([memory_stats.usage, pids_stats.current], [0, 0])
    assert.deepEqual(blkio_stats['io_service_bytes_recursive'], [])
    killCgroupTree(cgroups, cgroupsPath)
    await reaper.exit(pid)
    await removeCgroup(cgroups, cgroupsPath)
    assert.equal((await readStats(cgroupsPath, cgroups)).cpu_stats.cpu_usage.total_usage, 0)
  },
)
