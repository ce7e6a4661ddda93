import { decodeName } from '@berth/archive'
import { codeOf, conflict, invalid } from '@berth/base'
import { AT_EMPTY_PATH, type FileStatus, fstatat, O_PATH, openInRoot, readlinkat } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import { kernelName } from '../layers/directory.ts'
import { baseName, belowRoot } from './container-path.ts'
import { followLinks } from './follow-links.ts'

const { O_NOFOLLOW, S_IFMT, S_IFLNK } = constants

/** What `X-Docker-Container-Path-Stat` tells of a file. */
export interface PathStatus {
  readonly name: string
  readonly sizeBytes: number
  /** Permission and type bits as Go's fs.FileMode numbers them. */
  readonly goMode: number
  readonly mtimeNs: bigint
  /** Where a symlink leads to in the container, as far as it exists; '' for all else. */
  readonly linkTarget: string
}

/** Status of `path` itself, below the directory `root`; undefined when there is no such file. */
export function statPath(root: number, path: string): PathStatus | undefined {
  const fd = openPath(root, path)
  if (fd === undefined) return undefined
  try {
    const status = fstatat(fd, '', AT_EMPTY_PATH)
    const isLink = (status.mode & S_IFMT) === S_IFLNK
    const linkTarget = isLink ? linkTargetOf(root, path) : ''
    const { sizeBytes, mtimeNs } = status
    return { name: baseName(path), sizeBytes, goMode: goModeOf(status), mtimeNs, linkTarget }
  } finally {
    closeSync(fd)
  }
}

/** Opens `path` itself as O_PATH; undefined when there is no such file. */
export function openPath(root: number, path: string): number | undefined {
  if (path.includes('\0')) throw invalid(`lstat ${path}: invalid argument`)
  try {
    return openInRoot(root, kernelName(belowRoot(path)), { flags: O_PATH | O_NOFOLLOW })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw pathError(path, error)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOTDIR: 'not a directory',
  ELOOP: 'too many levels of symbolic links',
  ENAMETOOLONG: 'file name too long',
}

/** What the kernel says of a path, in Docker's words where it is the path's fault. */
export function pathError(path: string, error: unknown): unknown {
  const code = codeOf(error) ?? ''
  // The container renames directories of the path faster than it can be walked.
  if (code === 'EAGAIN' || code === 'ESTALE') return conflict(`lstat ${path}: it changes all the time`, error)
  const reason = reasons[code]
  return reason === undefined ? error : invalid(`lstat ${path}: ${reason}`, error)
}

// As many as Go's symlink.FollowSymlinkInScope follows.
const maxLinks = 255

function linkTargetOf(root: number, path: string): string {
  const target = followLinks(path, (at) => readLink(root, at), maxLinks)
  if (target === undefined) throw invalid(`lstat ${path}: too many levels of symbolic links`)
  return target
}

function readLink(root: number, path: string): string | undefined {
  try {
    const fd = openInRoot(root, kernelName(belowRoot(path)), { flags: O_PATH | O_NOFOLLOW })
    try {
      return decodeName(readlinkat(fd, ''))
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    const code = codeOf(error)
    // readlinkat(2) of what is no link is ENOENT for an empty path.
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EINVAL') return undefined
    throw pathError(path, error)
  }
}

// Go's io/fs: type bits from the top, the three special permission bits below them.
const goTypes: Readonly<Record<number, number>> = {
  [constants.S_IFDIR]: 2 ** 31,
  [constants.S_IFLNK]: 2 ** 27,
  [constants.S_IFBLK]: 2 ** 26,
  [constants.S_IFCHR]: 2 ** 26 + 2 ** 21,
  [constants.S_IFIFO]: 2 ** 25,
  [constants.S_IFSOCK]: 2 ** 24,
}

function goModeOf({ mode }: FileStatus): number {
  const special = (mode & 0o4000 ? 2 ** 23 : 0) + (mode & 0o2000 ? 2 ** 22 : 0) + (mode & 0o1000 ? 2 ** 20 : 0)
  return (mode & 0o777) + special + (goTypes[mode & S_IFMT] ?? 0)
}
