import { readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '@berth/base'
import type { Cgroups } from './detect.ts'

/** The directories of the cgroup `cgroupsPath` (absolute, as in the runtime spec), one a tree, whether they exist or not. */
export function cgroupPaths(cgroups: Cgroups, cgroupsPath: string): string[] {
  return cgroups.mountPoints.map((mountPoint) => join(mountPoint, cgroupsPath))
}

/** The directory of one controller, or undefined when the machine does not have it. */
export function controllerPath(cgroups: Cgroups, controller: string, cgroupsPath: string): string | undefined {
  const mountPoint = cgroups.controllers.get(controller)
  return mountPoint === undefined ? undefined : join(mountPoint, cgroupsPath)
}

// The kernel says EBUSY for a moment after the last process was reaped.
const busyDelaysMs = [1, 3, 10, 30, 100, 200, 400]

/** Removes a cgroup and its children from every tree; what does not exist is fine. EBUSY when processes remain. */
export async function removeCgroup(cgroups: Cgroups, cgroupsPath: string): Promise<void> {
  for (const path of cgroupPaths(cgroups, cgroupsPath)) {
    for (const waitMs of [...busyDelaysMs, undefined]) {
      if (tryRemove(path, waitMs === undefined)) break
      await delay(waitMs)
    }
  }
}

function tryRemove(path: string, isLast: boolean): boolean {
  try {
    removeTree(path)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    if (codeOf(error) !== 'EBUSY' || isLast) throw error
    return false
  }
}

/** Children first, but only where there are some: a plain rmdir is the common case. */
function removeTree(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (codeOf(error) !== 'EBUSY') throw error
    const children = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory())
    if (children.length === 0) throw error
    for (const child of children) removeTree(join(path, child.name))
    rmdirSync(path)
  }
}

/** The pids in a cgroup (of its own, without those of child cgroups), as this process's pid namespace numbers them. */
export function cgroupProcesses(cgroups: Cgroups, cgroupsPath: string): number[] {
  for (const path of cgroupPaths(cgroups, cgroupsPath)) {
    try {
      const pids = readFileSync(`${path}/cgroup.procs`, 'latin1').split('\n').filter(Boolean).map(Number)
      if (pids.length > 0) return pids
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENODEV') throw error
    }
  }
  return []
}

/**
 * Kills whatever is in a cgroup and in its children, at once and whoever forks meanwhile, frozen or not (cgroup.kill of
 * the v2 tree, which a hybrid has too; Linux 5.14). False where the kernel cannot, or the cgroup is not there.
 */
export function killCgroupTree({ unified }: Cgroups, cgroupsPath: string): boolean {
  if (unified === undefined) return false
  try {
    writeFileSync(join(unified, cgroupsPath, 'cgroup.kill'), '1', { flag: 'r+' })
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENODEV') return false
    throw error
  }
}

/** Stops every process of a cgroup; resolves when all have stopped. */
export const freezeCgroup = (cgroups: Cgroups, cgroupsPath: string): Promise<void> =>
  setFrozen(cgroups, cgroupsPath, true)

/** Lets the processes of a frozen cgroup go on. */
export const thawCgroup = (cgroups: Cgroups, cgroupsPath: string): Promise<void> =>
  setFrozen(cgroups, cgroupsPath, false)

async function setFrozen(cgroups: Cgroups, cgroupsPath: string, frozen: boolean): Promise<void> {
  const v1 = controllerPath(cgroups, 'freezer', cgroupsPath)
  const path = v1 ?? join(cgroups.unified ?? '', cgroupsPath)
  for (const waitMs of [...busyDelaysMs, 1000, undefined]) {
    // v1: a task that forks meanwhile leaves the state at FREEZING until FROZEN is written again.
    if (v1) writeFileSync(`${path}/freezer.state`, frozen ? 'FROZEN' : 'THAWED')
    else writeFileSync(`${path}/cgroup.freeze`, frozen ? '1' : '0')
    if (isFrozen(path, v1 !== undefined) === frozen) return
    if (waitMs === undefined) throw new Error(`cgroup ${path} does not become ${frozen ? 'frozen' : 'thawed'}`)
    await delay(waitMs)
  }
}

function isFrozen(path: string, isV1: boolean): boolean {
  if (isV1) return readFileSync(`${path}/freezer.state`, 'latin1').trim() === 'FROZEN'
  return /^frozen 1$/m.test(readFileSync(`${path}/cgroup.events`, 'latin1'))
}
