import { setTimeout as delay } from 'node:timers/promises'
import { type Cgroups, cgroupProcesses, killPid } from '@berth/linux'

const SIGKILL = 9
const rounds = 50

/** Kills what is in a cgroup until it is empty, for a second at most; frozen processes die once they are thawed. */
export async function killCgroup(cgroups: Cgroups, cgroupsPath: string): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const pids = cgroupProcesses(cgroups, cgroupsPath)
    if (pids.length === 0) return
    for (const pid of pids) killPid(pid, SIGKILL)
    await delay(round < 5 ? 1 : 20)
  }
}
