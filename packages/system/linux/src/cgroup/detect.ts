import { readFileSync } from 'node:fs'
import { codeOf } from '@berth/base'
import { type MountInfo, readMountInfo } from '../mount/mount-info.ts'

/** The cgroup trees of this machine (cgroups(7)). */
export interface Cgroups {
  /** 1 and 'hybrid': controllers are in v1 trees; a hybrid has a v2 tree beside them. 2: one v2 tree. */
  readonly version: 1 | 2 | 'hybrid'
  /** Controller (also `systemd`, the named v1 tree) to the mount point of its tree. */
  readonly controllers: ReadonlyMap<string, string>
  /** Mount point of the v2 tree. */
  readonly unified?: string
  /** Every tree's mount point, each once. */
  readonly mountPoints: readonly string[]
}

/** Reads which cgroup trees are mounted, in the caller's mount namespace. */
export function detectCgroups(): Cgroups {
  return cgroupsOf(readMountInfo(), readControllers)
}

/** Pure part of `detectCgroups`; `v2Controllers` gives the controllers of the v2 tree mounted at a path. */
export function cgroupsOf(mounts: readonly MountInfo[], v2Controllers: (mountPoint: string) => string[]): Cgroups {
  const controllers = new Map<string, string>()
  for (const { target, superOptions } of mounts.filter(({ type }) => type === 'cgroup')) {
    for (const controller of superOptions.flatMap(controllerOf)) {
      if (!controllers.has(controller)) controllers.set(controller, target)
    }
  }
  const unified = mounts.find(({ type }) => type === 'cgroup2')?.target
  const version = unified === undefined ? 1 : controllers.size > 0 ? 'hybrid' : 2
  if (unified !== undefined && version === 2) {
    for (const controller of v2Controllers(unified)) controllers.set(controller, unified)
  }
  const mountPoints = [...new Set([...controllers.values(), ...(unified === undefined ? [] : [unified])])]
  return unified === undefined ? { version, controllers, mountPoints } : { version, controllers, unified, mountPoints }
}

const notControllers = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'cpuset_v2_mode', 'favordynmods'])

function controllerOf(option: string): string[] {
  if (option.startsWith('name=')) return [option.slice('name='.length)]
  return notControllers.has(option) || option.includes('=') ? [] : [option]
}

/** The controllers that the v2 tree at `mountPoint` holds. */
export function readControllers(mountPoint: string): string[] {
  try {
    return readFileSync(`${mountPoint}/cgroup.controllers`, 'utf8').split(/\s+/).filter(Boolean)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
