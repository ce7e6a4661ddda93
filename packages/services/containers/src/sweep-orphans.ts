import { type ContainerId, messageOf } from '@berth/base'
import { isMountPoint, unmount } from '@berth/linux'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from './context.ts'
import { discardDirectory, sweepDiscarded } from './discard-directory.ts'
import { ownerOfSnapshot } from './image-mounts.ts'
import { removePins } from './pinned-mounts.ts'

/**
 * Removes snapshots and directories of containers that no record knows: a create or a removal was cut short. What is
 * still supervised ends first; the next start sweeps it.
 */
export async function sweepOrphans(context: Context, supervised: ReadonlySet<ContainerId>): Promise<void> {
  const isOrphan = (name: string): name is ContainerId =>
    /^[0-9a-f]{64}$/.test(name) &&
    !context.registry.byId(name as ContainerId) &&
    !context.unreadable.has(name as ContainerId) &&
    !supervised.has(name as ContainerId)
  await sweepDiscarded(context.directory)
  const active = context.snapshots.listActive()
  const names = new Set([...active.map(ownerOfSnapshot), ...readdirSync(context.directory)])
  for (const id of [...names].filter(isOrphan)) {
    try {
      await removeOrphan(context, id)
    } catch (error) {
      context.logger.warn({ id, error: messageOf(error) }, 'sweeping what belongs to no container')
    }
  }
}

/** Gives back what a container in no record held, once its process has ended. */
export async function releaseStranger(context: Context, id: ContainerId): Promise<void> {
  await context.networks.detach(id)
  await removeOrphan(context, id)
}

async function removeOrphan(context: Context, id: ContainerId): Promise<void> {
  context.logger.warn({ id }, 'removing what belongs to no container')
  const snapshots = context.snapshots.listActive().filter((key) => ownerOfSnapshot(key) === id)
  for (const key of snapshots) await context.snapshots.remove(key)
  const directory = join(context.directory, id)
  const shm = join(directory, 'shm')
  if (existsSync(shm) && isMountPoint(shm)) unmount(shm, { detach: true })
  removePins(join(directory, 'mounts'))
  await discardDirectory(directory)
}
