import { closeSync, constants, openSync } from 'node:fs'
import { O_CLOEXEC, O_PATH } from '../file/constants.ts'
import { check, type CString, declareFunctions, lastError } from '../libc.ts'
import { mount, setPropagation, unmount } from '../mount/mount.ts'
import { systemCallNumber } from '../system-calls.ts'

const c = declareFunctions<{
  unshare(flags: number): number
  setns(fd: number, type: number): number
  fchdir(fd: number): number
  chroot(path: CString): number
  pivotRoot(number: number, to: CString, old: CString): number
}>({
  unshare: 'int unshare(int flags)',
  setns: 'int setns(int fd, int type)',
  fchdir: 'int fchdir(int fd)',
  chroot: 'int chroot(str path)',
  pivotRoot: 'long syscall(long number, str to, str old)',
})

const CLONE_FS = 0x200
const CLONE_NEWNS = 0x20000
const { O_DIRECTORY, O_RDONLY } = constants

/**
 * A mount namespace that holds an empty tmpfs and what is put into it: none of the host's mounts are in it, so that none
 * of them is kept by it. A thread enters it for the moment of a synchronous call only, so that neither libuv's pool nor
 * a process that is started sees it. Dispose of it: its mounts go with it.
 */
export class MountNamespace implements Disposable {
  readonly #fd: number

  /** `base`: a directory of the host that exists; nothing stays mounted on it. */
  constructor(base: string) {
    const call = systemCallNumber('pivot_root')
    if (call === undefined) throw new Error(`pivot_root: not known on ${process.arch}`)
    let fd = -1
    away(() => {
      check(c.unshare(CLONE_NEWNS), 'unshare')
      fd = openSync('/proc/thread-self/ns/mnt', O_RDONLY | O_CLOEXEC)
      setPropagation('/', 'private', true)
      mount({ source: 'berth', target: base, type: 'tmpfs', data: 'size=64k,mode=700' })
      chdirTo(base)
      check(c.pivotRoot(call, '.', '.'), 'pivot_root', base)
      unmount('.', { detach: true })
    })
    this.#fd = fd
  }

  /** Runs `work` inside; it must be synchronous. Descriptors that it opens stay usable outside. */
  run<T>(work: () => T): T {
    return away(() => {
      check(c.setns(this.#fd, CLONE_NEWNS), 'setns')
      return work()
    })
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

/** Runs `work`, which may lead this thread into another mount namespace, and brings the thread back. */
function away<T>(work: () => T): T {
  // Other threads share root and working directory with this one until it has its own; setns(2) wants them to be.
  check(c.unshare(CLONE_FS), 'unshare')
  const home = openSync('/proc/thread-self/ns/mnt', O_RDONLY | O_CLOEXEC)
  const root = openSync('/', O_PATH | O_DIRECTORY | O_CLOEXEC)
  const directory = openSync('.', O_PATH | O_DIRECTORY | O_CLOEXEC)
  try {
    return work()
  } finally {
    comeBack(home, root, directory)
    for (const fd of [home, root, directory]) closeSync(fd)
  }
}

/** A thread that cannot return would take the files of a container for the host's: better no process. */
function comeBack(home: number, root: number, directory: number): void {
  const isBack =
    c.setns(home, CLONE_NEWNS) === 0 && c.fchdir(root) === 0 && c.chroot('.') === 0 && c.fchdir(directory) === 0
  if (isBack) return
  process.stderr.write(`cannot return to the host's mount namespace: ${lastError('setns').message}\n`)
  process.abort()
}

function chdirTo(path: string): void {
  const fd = openSync(path, O_PATH | O_DIRECTORY | O_CLOEXEC)
  try {
    check(c.fchdir(fd), 'fchdir', path)
  } finally {
    closeSync(fd)
  }
}
