import { closeSync, constants, openSync } from 'node:fs'
import { check, type CString, declareFunctions, EAGAIN, ENOENT, ENOTDIR, errno, pathArgument } from '../libc.ts'
import { O_CLOEXEC, O_PATH, RESOLVE_IN_ROOT, RESOLVE_NO_MAGICLINKS } from './constants.ts'

const c = declareFunctions<{
  openat2(number: number, fd: number, path: CString, how: BigUint64Array, size: number): number
}>({ openat2: 'long syscall(long number, int fd, str path, void *how, size_t size)' })

const SYS_openat2 = 437
// A rename beside the walk makes it fail with EAGAIN, to be tried again (openat2(2)).
const attempts = 64
const how = new BigUint64Array(3)

export interface OpenInRootOptions {
  /** O_* flags; O_CLOEXEC is added. Default O_PATH. */
  readonly flags?: number
  /** Permission bits of a file that O_CREAT makes. */
  readonly mode?: number
  /** RESOLVE_* flags instead of IN_ROOT | NO_MAGICLINKS. */
  readonly resolve?: number
}

/**
 * Opens `path` with `root` (a descriptor or a path) as its root directory: no `..` and no symlink, absolute or not, leads
 * out of it (openat2(2)). The descriptor is the caller's.
 */
export function openInRoot(root: number | string, path: string | Uint8Array, options: OpenInRootOptions = {}): number {
  if (typeof root === 'number') return check(openat2(root, path, options), 'openat2', path)
  const fd = openSync(root, O_PATH | O_CLOEXEC | constants.O_DIRECTORY)
  try {
    return check(openat2(fd, path, options), 'openat2', path)
  } finally {
    closeSync(fd)
  }
}

/** The same; undefined when nothing is there, for which no error is made. */
export function openInRootIfThere(root: number, path: string, options: OpenInRootOptions = {}): number | undefined {
  const result = openat2(root, path, options)
  if (result < 0 && [ENOENT, ENOTDIR].includes(errno())) return undefined
  return check(result, 'openat2', path)
}

/** Below zero: it failed, and errno says why. */
function openat2(fd: number, path: string | Uint8Array, options: OpenInRootOptions): number {
  const flags = options.flags ?? O_PATH
  how[0] = BigInt(flags | O_CLOEXEC)
  // Any mode without O_CREAT is refused by the kernel.
  how[1] = flags & constants.O_CREAT ? BigInt(options.mode ?? 0o666) : 0n
  how[2] = BigInt(options.resolve ?? RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)
  const argument = pathArgument(path, 'openat2')
  for (let attempt = 1; ; attempt++) {
    const result = c.openat2(SYS_openat2, fd, argument, how, 24)
    if (result >= 0 || attempt === attempts || errno() !== EAGAIN) return result
  }
}
