import { readMountInfo, unmount } from '@berth/linux'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SnapshotDirectories } from '../snapshots/directories.ts'
import type { SnapshotTable } from '../snapshots/snapshot-table.ts'
import { freshName } from '../snapshots/sweep.ts'
import type { Trash } from '../snapshots/trash.ts'
import type { Found } from './finding.ts'

interface Parts {
  readonly table: SnapshotTable
  readonly directories: SnapshotDirectories
  readonly trash: Pick<Trash, 'take'>
  /** Who may have an active snapshot mounted now. */
  readonly isInUse: (key: string) => boolean
}

/** What is being made now has its row in a moment. */
const youngMs = 10_000

/** Rows without files, files without rows, and mounts that belong to nobody. */
export function* checkSnapshots(parts: Parts): Generator<Found> {
  yield* checkCommitted(parts)
  yield* checkActive(parts)
  yield* checkDirectories(parts)
  yield* checkMounts(parts)
}

function* checkCommitted({ table, directories }: Parts): Generator<Found> {
  for (const { chainId, number, parent } of table.committed.values()) {
    const subject = chainId
    if (parent !== undefined && !table.committed.has(parent)) {
      yield { finding: { kind: 'missing-parent', subject, message: `its parent ${parent} is not there` } }
    }
    if (existsSync(directories.files(number))) continue
    const finding = { kind: 'missing-files' as const, subject, message: `${directories.files(number)} is not there` }
    // An image's layer is unpacked again when it is needed; under a container nothing can stand in for it.
    if (table.hasChild(chainId)) yield { finding }
    else yield { finding, remedy: { text: 'record removed', repair: () => table.deleteCommitted(chainId, () => {}) } }
  }
}

function* checkActive({ table, directories }: Parts): Generator<Found> {
  for (const { key, number, parent } of table.active.values()) {
    if (table.lineage(parent) === undefined) {
      yield { finding: { kind: 'missing-parent', subject: key, message: `a layer under it is not there` } }
    }
    if (existsSync(directories.files(number))) continue
    yield { finding: { kind: 'missing-files', subject: key, message: `${directories.files(number)} is not there` } }
  }
}

function* checkDirectories({ table, directories, trash }: Parts): Generator<Found> {
  const known = new Set([...table.committed.values(), ...table.active.values()].map(({ number }) => String(number)))
  for (const name of readdirSync(directories.root)) {
    const path = join(directories.root, name)
    if (!/^\d+$/.test(name) || known.has(name) || isYoung(path)) continue
    const repair = () => trash.take(path, freshName(name))
    yield {
      finding: { kind: 'leftover', subject: path, message: 'no record knows it' },
      remedy: { text: 'removed', repair },
    }
  }
}

export function isYoung(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false })
  return status === undefined || Date.now() - status.ctimeMs < youngMs
}

function* checkMounts({ table, directories, isInUse }: Parts): Generator<Found> {
  const keys = new Map([...table.active.values()].map(({ key, number }) => [directories.merged(number), key]))
  for (const { target } of readMountInfo().toReversed()) {
    if (!target.startsWith(`${directories.root}/`) || target.startsWith(`${directories.temporary}/`)) continue
    const key = keys.get(target)
    if (key !== undefined && isInUse(key)) continue
    const repair = () => unmount(target, { detach: true })
    const message = key === undefined ? 'mounted for no snapshot' : `mounted, and ${key} does not run`
    yield { finding: { kind: 'stray-mount', subject: target, message }, remedy: { text: 'unmounted', repair } }
  }
}
