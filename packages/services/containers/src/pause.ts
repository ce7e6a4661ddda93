import { conflict } from '@berth/base'
import { announce } from './announce.ts'
import type { Context } from './context.ts'
import { requireRunning } from './transitions.ts'

export async function pauseContainer(context: Context, ref: string): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, async () => {
    const container = requireRunning(context.registry.resolve(id))
    if (container.state.status === 'paused') throw conflict(`Container ${id} is already paused`)
    await context.runtime.pause(id)
    announce(context, context.registry.transition(id, { status: 'paused' }), 'pause')
    context.health.pause(id)
  })
}

export async function unpauseContainer(context: Context, ref: string): Promise<void> {
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, async () => {
    if (context.registry.resolve(id).state.status !== 'paused') throw conflict(`Container ${id} is not paused`)
    await context.runtime.resume(id)
    announce(context, context.registry.transition(id, { status: 'running' }), 'unpause')
    context.health.resume(id)
  })
}
