import { closeSync, constants, openSync } from 'node:fs'
import { declareFunctions } from '../libc.ts'

const c = declareFunctions<{ ioctl(fd: number, request: number, argument: Uint8Array): number }>({
  ioctl: 'int ioctl(int fd, ulong request, void *argument)',
})

// include/uapi/linux/fs.h; the argument is an int, whatever the macro's size says.
const FS_IOC_GETFLAGS = 0x80086601
const FS_IOC_SETFLAGS = 0x40086602
const FS_TOPDIR_FL = 0x00020000

/**
 * Tells the file system that the subdirectories of `path` have nothing to do with each other (chattr(1), attribute T), so
 * that ext4 does not put them into one block group: there it would look at every inode that was deleted lately for each
 * file it makes. It is a hint: a file system that takes none is left as it is.
 */
export function spreadSubdirectories(path: string): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const flags = Buffer.alloc(8)
    if (c.ioctl(fd, FS_IOC_GETFLAGS, flags) < 0) return
    flags.writeUInt32LE((flags.readUInt32LE() | FS_TOPDIR_FL) >>> 0)
    c.ioctl(fd, FS_IOC_SETFLAGS, flags)
  } finally {
    closeSync(fd)
  }
}
