import { conflict, type ContainerId } from '@berth/base'
import { announce } from './announce.ts'
import type { Context } from './context.ts'
import { requireRunning } from './transitions.ts'

/** `byEngine`: for a while, and not by a user's wish. */
export async function pauseContainer(
  context: Context,
  ref: string,
  { byEngine = false }: { readonly byEngine?: boolean } = {},
): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, async () => {
    const container = requireRunning(context.registry.resolve(id))
    if (container.state.status === 'paused') throw conflict(`Container ${id} is already paused`)
    await context.runtime.pause(id)
    announce(context, context.registry.transition(id, { status: 'paused', isPausedByEngine: byEngine }), 'pause')
    context.health.pause(id)
  })
}

export async function unpauseContainer(context: Context, ref: string): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, async () => {
    if (context.registry.resolve(id).state.status !== 'paused') throw conflict(`Container ${id} is not paused`)
    await unpauseLocked(context, id)
  })
}

/** The caller holds the lock of a paused container. */
export async function unpauseLocked(context: Context, id: ContainerId): Promise<void> {
  await context.runtime.resume(id)
  announce(context, context.registry.transition(id, { status: 'running', isPausedByEngine: false }), 'unpause')
  context.health.resume(id)
}
