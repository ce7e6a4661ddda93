import type { MessageInitShape } from '@bufbuild/protobuf'
import { type BigIntStats, constants } from 'node:fs'
import type { StatSchema } from '../../generated/fsutil_pb.ts'
import { toGoMode } from './go-mode.ts'

const { S_IFMT, S_IFREG } = constants

/** What of a file is told besides its status. */
export interface FilePlace {
  /** In the tree that is sent. */
  readonly path: string
  /** Where a symlink leads, or the first name of a file that has several; '' for neither. */
  readonly linkname: string
}

/** A file's entry of a tree. */
export function describeFile(status: BigIntStats, { path, linkname }: FilePlace): MessageInitShape<typeof StatSchema> {
  const mode = Number(status.mode)
  return {
    path,
    mode: toGoMode(mode),
    uid: Number(status.uid),
    gid: Number(status.gid),
    size: (mode & S_IFMT) === S_IFREG ? status.size : 0n,
    modTime: status.mtimeNs,
    linkname,
    devmajor: major(status.rdev),
    devminor: minor(status.rdev),
  }
}

/** A dev_t taken apart as glibc does (makedev(3)). */
const major = (device: bigint): bigint => ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
const minor = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
