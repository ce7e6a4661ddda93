import { closeSync } from 'node:fs'
import { check, type CString, declareFunctions, pathArgument } from '../libc.ts'

const c = declareFunctions<{
  openTree(number: number, fd: number, path: CString, flags: number): number
  mountSetattr(
    number: number,
    fd: number,
    path: CString,
    flags: number,
    attributes: BigUint64Array,
    size: number,
  ): number
  moveMount(number: number, fd: number, from: CString, toFd: number, to: CString, flags: number): number
}>({
  openTree: 'long syscall(long number, int fd, str path, uint flags)',
  mountSetattr: 'long syscall(long number, int fd, str path, uint flags, void *attributes, size_t size)',
  moveMount: 'long syscall(long number, int fd, str from, int toFd, str to, uint flags)',
})

// The same numbers on every architecture: include/uapi/asm-generic/unistd.h
const SYS_open_tree = 428
const SYS_move_mount = 429
const SYS_mount_setattr = 442
// include/uapi/linux/{fcntl,mount}.h
const AT_FDCWD = -100
const AT_EMPTY_PATH = 0x1000
const AT_RECURSIVE = 0x8000
const OPEN_TREE_CLONE = 1
const OPEN_TREE_CLOEXEC = 0o2000000
const MOVE_MOUNT_F_EMPTY_PATH = 0x04
const MOVE_MOUNT_T_EMPTY_PATH = 0x40
const MOUNT_ATTR_RDONLY = 1n
const MOUNT_ATTR_NOSUID = 2n
const MOUNT_ATTR_NODEV = 4n
const MOUNT_ATTR_NOEXEC = 8n
const MOUNT_ATTR_IDMAP = 0x00100000n
const MS_PRIVATE = 1n << 18n

export interface DetachedMountOptions {
  readonly readOnly?: boolean
  /** With the mounts below it. */
  readonly recursive?: boolean
  /** For a container's own use: programs and devices in it work as they do at `from`. */
  readonly isPlain?: boolean
  /** A user namespace by whose maps files have other owners in it (`openUserNamespace()`). */
  readonly userNamespace?: number
}

/**
 * A copy of the mount at `from`, a path or a descriptor, that is in no namespace, and hears of no mount made elsewhere nor
 * tells of any: nothing in it can be executed or opened as a device, unless it is to be plain. The descriptor is the caller's, and stands for its root; without being
 * attached the mount goes with it. Linux 5.12.
 */
export function cloneMount(
  from: string | number,
  { readOnly = false, recursive = false, isPlain = false, userNamespace }: DetachedMountOptions = {},
): number {
  const below = recursive ? AT_RECURSIVE : 0
  const flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | below
  const fd = openTree(from, flags)
  try {
    const safe = isPlain ? 0n : MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC
    const mapped = userNamespace === undefined ? 0n : MOUNT_ATTR_IDMAP
    const set = safe | mapped | (readOnly ? MOUNT_ATTR_RDONLY : 0n)
    // struct mount_attr: attr_set, attr_clr, propagation, userns_fd
    const attributes = new BigUint64Array([set, 0n, MS_PRIVATE, BigInt(userNamespace ?? 0)])
    check(c.mountSetattr(SYS_mount_setattr, fd, '', AT_EMPTY_PATH | below, attributes, 32), 'mount_setattr')
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function openTree(from: string | number, flags: number): number {
  if (typeof from === 'number') return check(c.openTree(SYS_open_tree, from, '', flags | AT_EMPTY_PATH), 'open_tree')
  return check(c.openTree(SYS_open_tree, AT_FDCWD, pathArgument(from, 'open_tree'), flags), 'open_tree', from)
}

/** Puts a detached mount on the file or directory that `target` has open, wherever that has been moved to since. */
export function attachMount(mount: number, target: number): void {
  const flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH
  check(c.moveMount(SYS_move_mount, mount, '', target, '', flags), 'move_mount')
}
