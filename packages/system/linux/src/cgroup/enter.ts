import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from '@berth/base'
import { cgroupProcesses } from './cgroup.ts'
import type { Cgroups } from './detect.ts'

/**
 * The files of version 1 by which a process of one thread enters the cgroup `cgroupsPath` by itself: it writes `0` to each.
 * That needs no lock, while moving another process waits for a grace period of the kernel (cgroup_procs_write_start;
 * Linux 5.5). Undefined where there is no tree of version 1, or one of them has no such cgroup.
 */
export function taskFiles({ mountPoints, unified }: Cgroups, cgroupsPath: string): string[] | undefined {
  const trees = mountPoints.filter((mountPoint) => mountPoint !== unified)
  const files = trees.map((mountPoint) => join(mountPoint, cgroupsPath, 'tasks'))
  return files.length > 0 && files.every((file) => existsSync(file)) ? files : undefined
}

/** What was forked before its parent was moved is found in the next round. */
const maxRounds = 20

/** Moves the processes of a hybrid's cgroup that entered it by its v1 trees alone in the v2 tree, too. */
export async function enterUnified(cgroups: Cgroups, cgroupsPath: string): Promise<void> {
  if (cgroups.version !== 'hybrid' || cgroups.unified === undefined) return
  const file = join(cgroups.unified, cgroupsPath, 'cgroup.procs')
  for (let round = 0; round < maxRounds; round++) {
    const inside = new Set(readPids(file))
    const outside = cgroupProcesses(cgroups, cgroupsPath).filter((pid) => !inside.has(pid))
    if (outside.length === 0) return
    for (const pid of outside) await move(file, pid)
  }
}

function readPids(file: string): number[] {
  try {
    return readFileSync(file, 'latin1').split('\n').filter(Boolean).map(Number)
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENODEV') return []
    throw error
  }
}

/** A process that has ended, and a cgroup that is gone, need nothing. */
async function move(file: string, pid: number): Promise<void> {
  try {
    await writeFile(file, `${pid}`, { flag: 'r+' })
  } catch (error) {
    if (!['ESRCH', 'ENOENT', 'ENODEV'].includes(codeOf(error) ?? '')) throw error
  }
}
