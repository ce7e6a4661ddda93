import { join } from 'node:path'

/** Where snapshots live. Names are short: overlayfs takes up to 127 of them. */
export interface SnapshotDirectories {
  readonly root: string
  /** Work in progress; nothing in it outlives a start. */
  readonly temporary: string
  /** What is to be deleted, by the background worker or at the next start. */
  readonly trash: string
  /** What every container finds beneath its image: mount points for what the engine mounts. */
  readonly init: string
  of(number: number): string
  /** The layer itself, or the writable layer. */
  files(number: number): string
  work(number: number): string
  merged(number: number): string
}

export function planDirectories(dataRoot: string): SnapshotDirectories {
  const root = join(dataRoot, 'snapshots')
  return {
    root,
    temporary: join(root, 'tmp'),
    trash: join(root, 'trash'),
    init: join(root, 'init'),
    of: (number) => join(root, String(number)),
    files: (number) => join(root, String(number), 'fs'),
    work: (number) => join(root, String(number), 'work'),
    merged: (number) => join(root, String(number), 'merged'),
  }
}
