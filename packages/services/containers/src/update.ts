import { conflict, fault } from '@berth/base'
import { announce } from './announce.ts'
import type { UpdateRequest } from './containers.ts'
import type { Context } from './context.ts'
import { planUpdate } from './plan/plan-update.ts'
import { isAlive } from './stop.ts'

/** Changes limits and restart policy; the kernel's limits of a running container first, the record after. */
export async function updateContainer(
  context: Context,
  ref: string,
  request: UpdateRequest,
): Promise<{ readonly warnings: readonly string[] }> {
  const { id } = context.registry.resolve(ref)
  return await context.locks.run(id, async () => {
    const container = context.registry.resolve(id)
    if (container.state.status === 'removing' || container.state.status === 'dead') {
      throw conflict(`container is marked for removal and cannot be "update"`)
    }
    const { hostConfig, resources, warnings } = planUpdate(container, request, context.facts)
    if (isAlive(container) && resources) await context.runtime.update(id, resources)
    fault('update: applied')
    announce(context, context.registry.redefine(id, { hostConfig }), 'update')
    return { warnings }
  })
}
