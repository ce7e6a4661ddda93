/** What an entry makes. Sockets cannot be archived. */
export type EntryType = 'file' | 'hardlink' | 'symlink' | 'directory' | 'character' | 'block' | 'fifo'

/** A point in time as a file system keeps it; `seconds` may be negative, `nanoseconds` is 0 to 999,999,999. */
export interface FileTime {
  readonly seconds: number
  readonly nanoseconds: number
}

/** A run of data in a sparse file; what lies between runs is a hole. */
export interface Extent {
  readonly offset: number
  readonly sizeBytes: number
}

/**
 * One member of an archive. Names are the archive's own words, not yet sanitised (`sanitizeEntryPath`); bytes that are
 * not UTF-8 are kept as `decodeName` does.
 */
export interface TarEntry {
  readonly path: string
  readonly type: EntryType
  /** Target of a symlink, or the earlier member that a hard link names; '' for the rest. */
  readonly linkPath: string
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes of the file's content, holes included; 0 for all but files. */
  readonly sizeBytes: number
  readonly mtime: FileTime
  readonly atime?: FileTime
  readonly deviceMajor: number
  readonly deviceMinor: number
  /** By full name, `user.mime_type`. */
  readonly xattrs?: ReadonlyMap<string, Buffer>
  /** The data of a sparse file in ascending order; absent for a dense one. */
  readonly extents?: readonly Extent[]
}

export const epoch: FileTime = { seconds: 0, nanoseconds: 0 }
