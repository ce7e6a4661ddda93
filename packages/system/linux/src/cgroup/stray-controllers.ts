import { mkdirSync, readFileSync, rmdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { codeOf } from '@berth/base'
import { isMountPoint } from '../file/statx.ts'
import { mount, MS_NODEV, MS_NOEXEC, MS_NOSUID, unmount } from '../mount/mount.ts'
import { type Cgroups, detectCgroups, readControllers } from './detect.ts'

// crun 1.8 leaves plain files in their directories when no tree is mounted there; another process may hold hugetlb as v1.
const alwaysAdopted = ['hugetlb', 'perf_event']

/**
 * On a hybrid machine, mounts as v1 every controller that the v2 tree still holds, in this process's mount namespace:
 * crun before 1.20 refuses such a tree otherwise. Returns the new mount points, for `releaseStrayControllers`.
 */
export function adoptStrayControllers(cgroups: Cgroups = detectCgroups()): string[] {
  if (cgroups.version !== 'hybrid' || cgroups.unified === undefined) return []
  const parent = dirname(cgroups.unified)
  const wanted = new Set([...readControllers(cgroups.unified), ...alwaysAdopted.filter(isEnabled)])
  return [...wanted]
    .filter((controller) => !cgroups.controllers.has(controller))
    .map((controller) => mountController(parent, controller))
}

function mountController(parent: string, controller: string): string {
  const target = `${parent}/${controller}`
  mkdirSync(target, { recursive: true })
  mount({ source: 'cgroup', target, type: 'cgroup', flags: MS_NOSUID | MS_NODEV | MS_NOEXEC, data: controller })
  return target
}

/**
 * Unmounts what `adoptStrayControllers` mounted, and removes the cgroup `parent` there if it is empty: the controllers go
 * back to the v2 tree once they have no cgroup left.
 * The empty directories stay: removing one would unmount it in every other mount namespace (mount_namespaces(7)).
 */
export function releaseStrayControllers(mountPoints: readonly string[], parent: string): void {
  for (const target of mountPoints) {
    if (!isMountPoint(target)) continue
    removeIfEmpty(join(target, parent))
    unmount(target, { detach: true })
  }
}

function removeIfEmpty(cgroup: string): void {
  try {
    rmdirSync(cgroup)
  } catch (error) {
    if (!['ENOENT', 'EBUSY', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error
  }
}

function isEnabled(controller: string): boolean {
  const line = readFileSync('/proc/cgroups', 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${controller}\t`))
  return line?.split('\t')[3] === '1'
}
