import { constants } from 'node:os'
import { check, type CString, declareFunctions, errno, pathArgument } from '../libc.ts'
import type { FileName } from './at.ts'
import { AT_FDCWD, AT_SYMLINK_NOFOLLOW } from './constants.ts'

const c = declareFunctions<{
  statx(fd: number, path: CString, flags: number, mask: number, buffer: Uint8Array): number
}>({ statx: 'int statx(int fd, str path, int flags, uint mask, void *buffer)' })

const { ENOENT } = constants.errno
const STATX_BASIC_STATS = 0x7ff
const STATX_MNT_ID = 0x1000
const AT_EMPTY_PATH = 0x1000
const STATX_ATTR_MOUNT_ROOT = 0x2000n
const buffer = Buffer.alloc(256)

/** What statx(2) tells. Times are nanoseconds since the epoch. */
export interface FileStatus {
  /** Type and permission bits. */
  readonly mode: number
  readonly nlink: number
  readonly uid: number
  readonly gid: number
  readonly ino: bigint
  readonly sizeBytes: number
  /** Of 512 bytes. */
  readonly blocks: number
  readonly atimeNs: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly rdev: { readonly major: number; readonly minor: number }
  readonly dev: { readonly major: number; readonly minor: number }
  readonly isMountRoot: boolean
}

/** Status of `path` relative to `fd`; by default of a symlink itself. With '' and AT_EMPTY_PATH: of `fd`, also O_PATH. */
export function fstatat(fd: number, path: FileName, flags = AT_SYMLINK_NOFOLLOW): FileStatus {
  check(c.statx(fd, pathArgument(path, 'statx'), flags, STATX_BASIC_STATS, buffer), 'statx', path)
  return readStatus(buffer)
}

/** The same, undefined when there is no such path: an error would cost far more than the call. */
export function fstatatIfThere(fd: number, path: FileName, flags = AT_SYMLINK_NOFOLLOW): FileStatus | undefined {
  const result = c.statx(fd, pathArgument(path, 'statx'), flags, STATX_BASIC_STATS, buffer)
  if (result < 0 && errno() === ENOENT) return undefined
  check(result, 'statx', path)
  return readStatus(buffer)
}

/** Whether something is mounted on `path` (itself, if a symlink). Throws ENOENT when there is no such path. */
export function isMountPoint(path: string): boolean {
  return fstatat(AT_FDCWD, path).isMountRoot
}

/** The number of the mount that `fd` was opened on; unique while it is mounted (Linux 5.8). */
export function mountIdOf(fd: number): bigint {
  check(c.statx(fd, '', AT_EMPTY_PATH, STATX_MNT_ID, buffer), 'statx')
  return buffer.readBigUInt64LE(144)
}

/** struct statx of include/uapi/linux/stat.h */
function readStatus(b: Buffer): FileStatus {
  return {
    mode: b.readUInt16LE(28),
    nlink: b.readUInt32LE(16),
    uid: b.readUInt32LE(20),
    gid: b.readUInt32LE(24),
    ino: b.readBigUInt64LE(32),
    sizeBytes: Number(b.readBigUInt64LE(40)),
    blocks: Number(b.readBigUInt64LE(48)),
    atimeNs: readTime(b, 64),
    mtimeNs: readTime(b, 112),
    ctimeNs: readTime(b, 96),
    rdev: { major: b.readUInt32LE(128), minor: b.readUInt32LE(132) },
    dev: { major: b.readUInt32LE(136), minor: b.readUInt32LE(140) },
    isMountRoot: (b.readBigUInt64LE(8) & STATX_ATTR_MOUNT_ROOT) !== 0n,
  }
}

const readTime = (b: Buffer, offset: number): bigint =>
  b.readBigInt64LE(offset) * 1_000_000_000n + BigInt(b.readUInt32LE(offset + 8))
