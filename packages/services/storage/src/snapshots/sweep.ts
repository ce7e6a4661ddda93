import type { Logger } from '@berth/base'
import { readMountInfo, unmount } from '@berth/linux'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { SnapshotDirectories } from './directories.ts'
import type { SnapshotTable } from './snapshot-table.ts'
import type { Trash } from './trash.ts'

interface SweepContext {
  readonly table: SnapshotTable
  readonly directories: SnapshotDirectories
  readonly trash: Trash
  readonly logger: Logger
  /** This boot of the machine. */
  readonly bootId: string
}

/**
 * Brings rows, directories and mounts into agreement after whatever happened to the last process: rows without a
 * directory, layers that a power failure may have caught half written, directories without a row, temporary ones, and
 * mounts that belong to none are removed. What is mounted for a container stays.
 */
export function sweepSnapshots(context: SweepContext): void {
  const { table, directories, trash } = context
  mkdirSync(directories.temporary, { recursive: true, mode: 0o700 })
  for (const { chainId, number, unsyncedBoot } of table.committed.values()) {
    if (!existsSync(directories.files(number))) report(context, number, 'its files are gone')
    else if (unsyncedBoot === undefined || unsyncedBoot === context.bootId) continue
    else report(context, number, 'the machine went down before its files were on the disk')
    table.deleteCommitted(chainId, () => {})
  }
  for (const { key, number } of table.active.values()) {
    if (existsSync(directories.files(number))) continue
    report(context, number, 'its files are gone')
    table.deleteActive(key, () => {})
  }
  const known = new Set([...table.committed.values(), ...table.active.values()].map(({ number }) => String(number)))
  unmountStale(directories, known)
  for (const name of readdirSync(directories.temporary)) trash.take(join(directories.temporary, name), freshName(name))
  for (const name of readdirSync(directories.root)) {
    if (/^\d+$/.test(name) && !known.has(name)) trash.take(join(directories.root, name), freshName(name))
  }
}

let taken = 0
/** A name that the trash does not have yet. */
export const freshName = (name: string): string => `${name}-${process.pid}-${Date.now()}-${taken++}`

function report({ logger }: SweepContext, number: number, reason: string): void {
  logger.warn({ number, reason }, 'snapshots: dropping a snapshot')
}

/** Unmounts what lies below the root and is no known snapshot's; the latest mount first. */
function unmountStale(directories: SnapshotDirectories, known: ReadonlySet<string>): void {
  const targets = readMountInfo().map(({ target }) => target)
  for (const target of targets.toReversed()) {
    if (!target.startsWith(`${directories.root}/`)) continue
    const [owner = ''] = target.slice(directories.root.length + 1).split('/')
    const isKnown = known.has(owner) && target === join(directories.root, owner, 'merged')
    if (!isKnown) unmount(target, { detach: true })
  }
}
