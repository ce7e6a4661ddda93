/** A member of a cpio archive; a mode of a directory or a regular file (stat(2)). */
export interface CpioMember {
  readonly path: string
  readonly mode: number
  readonly content?: Buffer
}

export const directoryMode = 0o040755
export const programMode = 0o100755

const padding = (length: number): Buffer => Buffer.alloc((4 - (length % 4)) % 4)

/** An archive of the format that the kernel unpacks as its first root (initramfs-buffer-format, `newc`). */
export function cpioArchive(members: readonly CpioMember[]): Buffer {
  const parts = members.flatMap((member, i) => memberParts(member, i + 1))
  return Buffer.concat([...parts, ...memberParts({ path: 'TRAILER!!!', mode: 0 }, 0)])
}

function memberParts({ path, mode, content = Buffer.alloc(0) }: CpioMember, inode: number): Buffer[] {
  const name = Buffer.from(`${path}\0`)
  // ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`)
  return [header, name, padding(header.length + name.length), content, padding(content.length)]
}
