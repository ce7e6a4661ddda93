import { setTimeout as delay } from 'node:timers/promises'
import { type Cgroups, cgroupProcesses, killCgroupTree, killPid } from '@berth/linux'

const SIGKILL = 9
const rounds = 50

/**
 * Kills what is in a cgroup until it is empty, for a second at most. Where the kernel cannot do it at once (version 1
 * alone), child cgroups are left, and frozen processes die once they are thawed.
 */
export async function killCgroup(cgroups: Cgroups, cgroupsPath: string): Promise<void> {
  killCgroupTree(cgroups, cgroupsPath)
  for (let round = 0; round < rounds; round++) {
    const pids = cgroupProcesses(cgroups, cgroupsPath)
    if (pids.length === 0) return
    for (const pid of pids) killPid(pid, SIGKILL)
    await delay(round < 5 ? 1 : 20)
  }
}
