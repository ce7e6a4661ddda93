import { check, type CString, declareFunctions, pathArgument } from '../libc.ts'
import { AT_SYMLINK_NOFOLLOW } from './constants.ts'

/** A file name: text, or bytes where it need not be UTF-8. */
export type FileName = string | Uint8Array

const c = declareFunctions<{
  mkdirat(fd: number, path: CString, mode: number): number
  mknodat(fd: number, path: CString, mode: number, device: bigint): number
  symlinkat(target: CString, fd: number, path: CString): number
  linkat(fromFd: number, from: CString, toFd: number, to: CString, flags: number): number
  unlinkat(fd: number, path: CString, flags: number): number
  renameat2(fromFd: number, from: CString, toFd: number, to: CString, flags: number): number
  fchownat(fd: number, path: CString, uid: number, gid: number, flags: number): number
  fchmodat(fd: number, path: CString, mode: number, flags: number): number
  utimensat(fd: number, path: CString, times: BigInt64Array, flags: number): number
  readlinkat(fd: number, path: CString, buffer: Uint8Array, size: number): number
}>({
  mkdirat: 'int mkdirat(int fd, str path, uint mode)',
  mknodat: 'int mknodat(int fd, str path, uint mode, uint64_t device)',
  symlinkat: 'int symlinkat(str target, int fd, str path)',
  linkat: 'int linkat(int fromFd, str from, int toFd, str to, int flags)',
  unlinkat: 'int unlinkat(int fd, str path, int flags)',
  renameat2: 'int renameat2(int fromFd, str from, int toFd, str to, uint flags)',
  fchownat: 'int fchownat(int fd, str path, uint uid, uint gid, int flags)',
  fchmodat: 'int fchmodat(int fd, str path, uint mode, int flags)',
  utimensat: 'int utimensat(int fd, str path, void *times, int flags)',
  readlinkat: 'long readlinkat(int fd, str path, void *buffer, size_t size)',
})

export function mkdirat(fd: number, path: FileName, mode: number): void {
  check(c.mkdirat(fd, pathArgument(path, 'mkdirat'), mode), 'mkdirat', path)
}

/** Makes a device, fifo, socket or empty file; `mode` holds the type bits, the device numbers count for S_IFCHR and S_IFBLK. */
export function mknodat(
  fd: number,
  path: FileName,
  mode: number,
  device: { major: number; minor: number } = nullDevice,
): void {
  check(c.mknodat(fd, pathArgument(path, 'mknodat'), mode, makeDevice(device.major, device.minor)), 'mknodat', path)
}

const nullDevice = { major: 0, minor: 0 }

/** A dev_t as glibc packs it (makedev(3)). */
export function makeDevice(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
}

export function symlinkat(target: FileName, fd: number, path: FileName): void {
  check(c.symlinkat(pathArgument(target, 'symlinkat'), fd, pathArgument(path, 'symlinkat')), 'symlinkat', path)
}

/** Does not follow a symlink `from` unless AT_SYMLINK_FOLLOW is in `flags`. */
export function linkat(fromFd: number, from: FileName, toFd: number, to: FileName, flags = 0): void {
  check(c.linkat(fromFd, pathArgument(from, 'linkat'), toFd, pathArgument(to, 'linkat'), flags), 'linkat', to)
}

/** Removes a file, or with AT_REMOVEDIR an empty directory. */
export function unlinkat(fd: number, path: FileName, flags = 0): void {
  check(c.unlinkat(fd, pathArgument(path, 'unlinkat'), flags), 'unlinkat', path)
}

export function renameat2(fromFd: number, from: FileName, toFd: number, to: FileName, flags = 0): void {
  const result = c.renameat2(fromFd, pathArgument(from, 'renameat2'), toFd, pathArgument(to, 'renameat2'), flags)
  check(result, 'renameat2', to)
}

/** By default of the symlink itself. An empty `path` with AT_EMPTY_PATH means `fd`, which may be O_PATH. */
export function fchownat(
  fd: number,
  path: FileName,
  owner: { uid: number; gid: number },
  flags = AT_SYMLINK_NOFOLLOW,
): void {
  check(c.fchownat(fd, pathArgument(path, 'fchownat'), owner.uid, owner.gid, flags), 'fchownat', path)
}

/** Follows a symlink, as chmod does: Linux symlinks have no mode. To be safe, name an O_PATH descriptor by `procFd()`. */
export function fchmodat(fd: number, path: FileName, mode: number): void {
  check(c.fchmodat(fd, pathArgument(path, 'fchmodat'), mode, 0), 'fchmodat', path)
}

const times = new BigInt64Array(4)

/** Sets times in nanoseconds since the epoch (may be negative), by default of a symlink itself. */
export function utimensat(
  fd: number,
  path: FileName,
  at: { readonly atimeNs: bigint; readonly mtimeNs: bigint },
  flags = AT_SYMLINK_NOFOLLOW,
): void {
  putTime(0, at.atimeNs)
  putTime(2, at.mtimeNs)
  check(c.utimensat(fd, pathArgument(path, 'utimensat'), times, flags), 'utimensat', path)
}

function putTime(index: number, ns: bigint): void {
  const fraction = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  times[index] = (ns - fraction) / 1_000_000_000n
  times[index + 1] = fraction
}

const linkBuffer = Buffer.allocUnsafe(4096)

/** The bytes of a symlink. An empty `path` reads the O_PATH descriptor `fd` itself. */
export function readlinkat(fd: number, path: FileName): Buffer {
  const length = check(
    c.readlinkat(fd, pathArgument(path, 'readlinkat'), linkBuffer, linkBuffer.length),
    'readlinkat',
    path,
  )
  return Buffer.from(linkBuffer.subarray(0, length))
}

/** A path that names what `fd` has open, for calls that take paths only. */
export const procFd = (fd: number): string => `/proc/self/fd/${fd}`
