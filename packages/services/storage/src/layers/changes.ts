import { type FileStatus, getXattr, O_PATH, openInRoot } from '@berth/linux'
import { closeSync, constants } from 'node:fs'
import type { Change, ChangeKind } from '../snapshots.ts'
import { ifThere, isDirectory, kernelName, namesIn, openDirectory, statusOf } from './directory.ts'
import { isOpaque, isWhiteout, type LowerFile, type LowerStack } from './lower-stack.ts'

/** A writable tree: an overlay's upper says what is deleted; a copy of the parent says so by absence. */
export type TreeForm = 'overlay' | 'copy'

/**
 * What the tree in `fd` changed of the layers beneath, sorted by path, as Docker tells it: a directory is modified when
 * something in it changed; a file that was copied up but is the same is not; what is below an added directory is added.
 */
export function changesOf(fd: number, lower: LowerStack, form: TreeForm): Change[] {
  const changes: Change[] = []
  addChanges({ fd, path: '', lower, form }, changes)
  return changes.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
}

interface Directory {
  readonly fd: number
  readonly path: string
  readonly lower: LowerStack
  readonly form: TreeForm
}

function addChanges(directory: Directory, changes: Change[]): void {
  const names = namesIn(directory.fd)
  for (const name of names) addChange(directory, name, changes)
  const hidesAll = directory.form === 'copy' || (directory.path !== '' && isOpaque(directory.fd))
  if (!hidesAll) return
  const kept = new Set(names)
  for (const name of directory.lower.names()) {
    if (!kept.has(name)) changes.push({ path: `${directory.path}/${name}`, kind: 'deleted' })
  }
}

function addChange(directory: Directory, name: string, changes: Change[]): void {
  const status = statusOf(directory.fd, name)
  if (!status) return
  const path = `${directory.path}/${name}`
  const below = directory.lower.find(name)
  if (directory.form === 'overlay' && isWhiteout(status)) {
    if (below) changes.push({ path, kind: 'deleted' })
    return
  }
  const kind = kindOf(directory.fd, name, status, below)
  if (kind) changes.push({ path, kind })
  if (!isDirectory(status)) return
  const before = changes.length
  addBelow(directory, name, changes)
  if (!kind && changes.length > before) changes.push({ path, kind: 'modified' })
}

function addBelow(directory: Directory, name: string, changes: Change[]): void {
  const fd = ifThere(() => openDirectory(directory.fd, name))
  if (fd === undefined) return
  try {
    using lower = directory.lower.descend(name)
    addChanges({ ...directory, fd, path: `${directory.path}/${name}`, lower }, changes)
  } finally {
    closeSync(fd)
  }
}

function kindOf(fd: number, name: string, status: FileStatus, below: LowerFile | undefined): ChangeKind | undefined {
  if (!below) return 'added'
  if (differs(status, below.status)) return 'modified'
  if (isDirectory(status) || (status.mode & constants.S_IFMT) !== constants.S_IFREG) return undefined
  return capabilityOf(fd, name) === capabilityOf(below.fd, name) ? undefined : 'modified'
}

/** Docker's rule: content counts by size and mtime, which for directories say nothing. */
function differs(a: FileStatus, b: FileStatus): boolean {
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid) return true
  if (a.rdev.major !== b.rdev.major || a.rdev.minor !== b.rdev.minor) return true
  return !isDirectory(a) && (a.sizeBytes !== b.sizeBytes || !isSameTime(a.mtimeNs, b.mtimeNs))
}

/** Layers often keep whole seconds only: a time without a fraction equals any in its second. */
function isSameTime(a: bigint, b: bigint): boolean {
  if (a === b) return true
  const second = 1_000_000_000n
  return a / second === b / second && (a % second === 0n || b % second === 0n)
}

function capabilityOf(parent: number, name: string): string {
  const fd = ifThere(() => openInRoot(parent, kernelName(name), { flags: O_PATH | constants.O_NOFOLLOW }))
  if (fd === undefined) return ''
  try {
    return getXattr(fd, 'security.capability')?.toString('hex') ?? ''
  } finally {
    closeSync(fd)
  }
}
