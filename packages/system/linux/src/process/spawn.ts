import { closeSync } from 'node:fs'
import { LinuxError } from '../error.ts'
import { check, type CString, declareFunctions, pathArgument } from '../libc.ts'
import { duplicate } from './descriptors.ts'

const c = declareFunctions<{
  actionsInit(actions: Uint8Array): number
  actionsDup2(actions: Uint8Array, fd: number, to: number): number
  actionsChdir(actions: Uint8Array, path: CString): number
  actionsDestroy(actions: Uint8Array): number
  attributesInit(attributes: Uint8Array): number
  attributesSetFlags(attributes: Uint8Array, flags: number): number
  attributesSetMask(attributes: Uint8Array, mask: Uint8Array): number
  attributesSetDefault(attributes: Uint8Array, signals: Uint8Array): number
  spawn(
    pid: Int32Array,
    path: CString,
    actions: Uint8Array,
    attributes: Uint8Array,
    argv: (string | null)[],
    envp: (string | null)[],
  ): number
}>({
  actionsInit: 'int posix_spawn_file_actions_init(void *actions)',
  actionsDup2: 'int posix_spawn_file_actions_adddup2(void *actions, int fd, int to)',
  actionsChdir: 'int posix_spawn_file_actions_addchdir_np(void *actions, str path)',
  actionsDestroy: 'int posix_spawn_file_actions_destroy(void *actions)',
  attributesInit: 'int posix_spawnattr_init(void *attributes)',
  attributesSetFlags: 'int posix_spawnattr_setflags(void *attributes, short flags)',
  attributesSetMask: 'int posix_spawnattr_setsigmask(void *attributes, void *mask)',
  attributesSetDefault: 'int posix_spawnattr_setsigdefault(void *attributes, void *signals)',
  spawn: 'int posix_spawn(void *pid, str path, void *actions, void *attributes, char **argv, char **envp)',
})

// glibc's <spawn.h>
const POSIX_SPAWN_SETSIGDEF = 0x04
const POSIX_SPAWN_SETSIGMASK = 0x08
const POSIX_SPAWN_SETSID = 0x80

export interface SpawnProcessOptions {
  /** An absolute path: nothing is looked up. */
  readonly path: string
  /** Without argv[0]. */
  readonly args: readonly string[]
  /** argv[0]; default `path`. */
  readonly name?: string
  /** `NAME=value`; default: this process's environment. */
  readonly env?: readonly string[]
  /** The child's descriptors 0, 1, 2, ...; everything else must be O_CLOEXEC, as all that Node and this package open is. */
  readonly fds: readonly number[]
  readonly cwd?: string
}

/**
 * Starts a process in a session of its own, with no signal blocked or ignored, and returns its pid. The caller reaps it.
 * posix_spawn(3) shares memory until exec, so that it takes 0.2 ms at any size of this process; fork copies page tables.
 */
export function spawnProcess(options: SpawnProcessOptions): number {
  const actions = Buffer.alloc(256)
  check(-c.actionsInit(actions), 'posix_spawn_file_actions_init')
  const copies: number[] = []
  try {
    redirect(actions, options.fds, copies)
    if (options.cwd !== undefined) c.actionsChdir(actions, pathArgument(options.cwd, 'posix_spawn'))
    return spawn(options, actions)
  } finally {
    c.actionsDestroy(actions)
    for (const fd of copies) closeSync(fd)
  }
}

/** dup2 in order; a source that an earlier target would overwrite is copied out of the way first. */
function redirect(actions: Buffer, fds: readonly number[], copies: number[]): void {
  for (const [target, fd] of fds.entries()) {
    let source = fd
    if (fd < target) {
      source = duplicate(fd, fds.length)
      copies.push(source)
    }
    c.actionsDup2(actions, source, target)
  }
}

const pid = new Int32Array(1)

function spawn({ path, name = path, args, env }: SpawnProcessOptions, actions: Buffer): number {
  const environment = env ?? Object.entries(process.env).map(([name, value]) => `${name}=${value}`)
  for (const text of [path, name, ...args, ...environment]) pathArgument(text, 'posix_spawn')
  const errno = c.spawn(pid, path, actions, spawnAttributes(), [name, ...args, null], [...environment, null])
  if (errno !== 0) throw new LinuxError('posix_spawn', errno, { path })
  return pid[0] ?? 0
}

let attributes: Buffer | undefined

function spawnAttributes(): Buffer {
  if (attributes) return attributes
  // posix_spawnattr_t is 336 bytes and sigset_t 128 in glibc.
  attributes = Buffer.alloc(512)
  check(-c.attributesInit(attributes), 'posix_spawnattr_init')
  c.attributesSetMask(attributes, Buffer.alloc(128))
  c.attributesSetDefault(attributes, Buffer.alloc(128, 0xff))
  c.attributesSetFlags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID)
  return attributes
}
