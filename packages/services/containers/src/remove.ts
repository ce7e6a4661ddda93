import { conflict, type ContainerId, fault, messageOf, notFound } from '@berth/base'
import { join } from 'node:path'
import { announce } from './announce.ts'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { discardDirectory } from './discard-directory.ts'
import { imageSnapshots } from './image-mounts.ts'
import { removeLink } from './links.ts'
import { unmountShm } from './spec-namespaces.ts'
import { cancelRestart, isAlive, isUp, sendSignal } from './stop.ts'
import { removeAnonymousVolumes } from './volumes.ts'

export interface RemoveOptions {
  readonly force: boolean
  readonly volumes: boolean
  readonly link: boolean
}

/** Removes a container and all that it owns. `force` kills it first. */
export async function removeContainer(context: Context, ref: string, options: RemoveOptions): Promise<void> {
  if (options.link) return await removeLink(context, ref)
  const container = context.registry.resolve(ref)
  if (container.state.status === 'removing') {
    throw conflict(`removal of container ${ref} is already in progress`)
  }
  if (options.force) await endForRemoval(context, container)
  await context.locks.run(container.id, () => removeLocked(context, container.id, { ref, volumes: options.volumes }))
}

/** Removes what does not run. The caller holds the lock. */
export async function removeLocked(
  context: Context,
  id: ContainerId,
  { ref = id, volumes }: { readonly ref?: string; readonly volumes: boolean },
): Promise<void> {
  const container = context.registry.byId(id)
  if (!container) throw notFound(`No such container: ${ref}`)
  requireRemovable(container)
  const removesVolumes = volumes || (container.state.removesVolumes ?? false)
  context.registry.transition(id, { status: 'removing', removesVolumes })
  fault('remove: marked')
  try {
    await releaseAll(context, id)
    if (removesVolumes) await removeAnonymousVolumes(context, container)
    fault('remove: volumes')
  } catch (error) {
    context.registry.transition(id, { status: 'dead', error: messageOf(error) })
    throw error
  }
  fault('remove: released')
  context.registry.remove(id)
  fault('remove: recorded')
  context.execs.forget(id)
  announce(context, container, 'destroy')
  context.waiters.removed(id, { exitCode: container.state.exitCode })
}

async function releaseAll(context: Context, id: ContainerId): Promise<void> {
  context.health.stop(id)
  await context.networks.detach(id)
  fault('remove: detached')
  unmountShm(context, context.registry.resolve(id))
  await context.volumes.unmountAll(id)
  for (const snapshot of imageSnapshots(context.registry.resolve(id))) await context.snapshots.remove(snapshot)
  await context.snapshots.remove(id)
  fault('remove: snapshot')
  await discardDirectory(join(context.directory, id))
}

function requireRemovable(container: Container): void {
  if (!isUp(container)) return
  const { status } = container.state
  const reason =
    status === 'paused'
      ? 'is paused and must be unpaused first'
      : `is ${status}: stop the container before removing or force remove`
  throw conflict(`cannot remove container "${container.name}": container ${reason}`)
}

async function endForRemoval(context: Context, container: Container): Promise<void> {
  const { id } = container
  using _ = context.restarts.suspend(id)
  if (await cancelRestart(context, id)) return
  const current = context.registry.byId(id)
  if (!current || !isAlive(current)) return
  const exit = context.waiters.wait(id, 'next-exit')
  context.registry.transition(id, { stoppedByUser: true })
  await sendSignal(context, current, 9)
  await exit
}
