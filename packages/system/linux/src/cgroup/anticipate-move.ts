import { readFileSync, writeFile } from 'node:fs'
import { join } from 'node:path'
import type { Cgroups } from './detect.ts'

let underWay = false

/**
 * Makes the next move of a process into a cgroup quick. The first one after a pause waits 8 ms for a grace period of the
 * kernel (rcu_sync_enter in cgroup_threadgroup_rwsem), those that follow within 10 ms wait for nothing. So this process is
 * moved to where it is, which changes nothing, on a thread of libuv's pool: the wait passes while the caller works.
 */
export function anticipateCgroupMove(cgroups: Cgroups): void {
  if (underWay) return
  const path = ownCgroup(cgroups, readFileSync('/proc/self/cgroup', 'latin1'))
  if (path === undefined) return
  underWay = true
  // r+: a file that is not there must not be made.
  writeFile(join(path, 'cgroup.procs'), `${process.pid}`, { flag: 'r+' }, () => (underWay = false))
}

/** The directory of the first cgroup of `text` (/proc/self/cgroup, cgroups(7)) whose tree is mounted. */
export function ownCgroup({ controllers, unified }: Cgroups, text: string): string | undefined {
  for (const line of text.split('\n')) {
    const [, names = '', path = ''] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    const [name = ''] = names.split(',')
    const mountPoint = name === '' ? unified : controllers.get(name.replace(/^name=/, ''))
    if (mountPoint !== undefined && path !== '') return join(mountPoint, path)
  }
  return undefined
}
