import { closeSync, constants, openSync, unlinkSync } from 'node:fs'
import { O_CLOEXEC } from '../file/constants.ts'
import { check, declareFunctions, lastError } from '../libc.ts'
import { bindMount, unmountAsync } from '../mount/mount.ts'
import { codeOf } from '@berth/base'

const c = declareFunctions<{
  unshare(flags: number): number
  setns(fd: number, type: number): number
}>({ unshare: 'int unshare(int flags)', setns: 'int setns(int fd, int type)' })

const CLONE_NEWNET = 0x40000000
const ownNetns = '/proc/thread-self/ns/net'

let home: number | undefined

/** The namespace that this thread lives in, opened once per thread. */
const homeNetns = (): number => (home ??= openSync(ownNetns, constants.O_RDONLY | O_CLOEXEC))

/**
 * Makes a network namespace, which ends when the descriptor is closed that is returned with what `work` returned.
 * Synchronous: the thread is inside the new namespace for the moment of the call, in which `work` may open sockets there.
 */
export function createNetns<T>(work: () => T): { readonly netns: number; readonly result: T } {
  const back = homeNetns()
  check(c.unshare(CLONE_NEWNET), 'unshare')
  let netns: number | undefined
  try {
    netns = openSync(ownNetns, constants.O_RDONLY | O_CLOEXEC)
    return { netns, result: work() }
  } catch (error) {
    if (netns !== undefined) closeSync(netns)
    throw error
  } finally {
    returnTo(back)
  }
}

/** Keeps the namespace of a descriptor, beyond this process too, by a bind mount on the new file `path`. EEXIST: there is one. */
export function pinNetns(netns: number, path: string): void {
  closeSync(openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o444))
  try {
    bindMount(`/proc/self/fd/${netns}`, path)
  } catch (error) {
    unlinkSync(path)
    throw error
  }
}

/**
 * Lets go of a pinned namespace; the kernel removes it with all its links once nothing else keeps it. Idempotent. A pool
 * thread waits until nobody sees the mount any more.
 */
export async function unpinNetns(path: string): Promise<void> {
  try {
    await unmountAsync(path, { detach: true })
  } catch (error) {
    // EINVAL: the file is there, but nothing is mounted on it (the machine restarted, or a pin was cut short).
    if (codeOf(error) === 'ENOENT') return
    if (codeOf(error) !== 'EINVAL') throw error
  }
  unlinkSync(path)
}

/** Runs `work` inside a network namespace. It must be synchronous; sockets opened in it stay there. */
export function inNetns<T>(netns: number | string, work: () => T): T {
  if (typeof netns === 'number') return inside(netns, work)
  const fd = openSync(netns, constants.O_RDONLY | O_CLOEXEC)
  try {
    return inside(fd, work)
  } finally {
    closeSync(fd)
  }
}

function inside<T>(fd: number, work: () => T): T {
  const back = homeNetns()
  check(c.setns(fd, CLONE_NEWNET), 'setns')
  try {
    return work()
  } finally {
    returnTo(back)
  }
}

/** A thread that cannot return would serve a container's network as if it were the host's: better no process. */
function returnTo(back: number): void {
  if (c.setns(back, CLONE_NEWNET) === 0) return
  process.stderr.write(`cannot return to the host's network namespace: ${lastError('setns').message}\n`)
  process.abort()
}
