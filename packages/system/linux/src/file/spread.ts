import { codeOf } from '@berth/base'
import { closeSync, constants, openSync } from 'node:fs'
import { check, declareFunctions } from '../libc.ts'

const c = declareFunctions<{ ioctl(fd: number, request: number, argument: Uint8Array): number }>({
  ioctl: 'int ioctl(int fd, ulong request, void *argument)',
})

// include/uapi/linux/fs.h; the argument is an int, whatever the macro's size says.
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_TOPDIR_FL = 0x00020000

/** What file systems without such flags, or without this one, say. */
const isUnknown = new Set(['ENOTTY', 'ENOTSUP', 'EINVAL', 'ENOSYS'])

/**
 * Tells the file system that the subdirectories of `path` have nothing to do with each other (chattr(1), attribute T), so
 * that ext4 does not put them into one block group: there it would look at every inode that was deleted lately for each
 * file it makes. Nothing on file systems that know no such hint.
 */
export function spreadSubdirectories(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const flags = Buffer.alloc(8)
    check(c.ioctl(fd, FS_IOC_GETFLAGS, flags), 'ioctl FS_IOC_GETFLAGS', path)
    flags.writeUInt32LE((flags.readUInt32LE() | FS_TOPDIR_FL) >>> 0)
    check(c.ioctl(fd, FS_IOC_SETFLAGS, flags), 'ioctl FS_IOC_SETFLAGS', path)
  } catch (error) {
    if (!isUnknown.has(codeOf(error) ?? '')) throw error
  } finally {
    closeSync(fd)
  }
}
