import { conflict, type ContainerId, fault, invalid, isKind, messageOf } from '@berth/base'
import { announce } from './announce.ts'
import type { Context } from './context.ts'
import { parseContainerName } from './names.ts'

export async function renameContainer(context: Context, ref: string, newName: string): Promise<void> {
  if (ref === '' || newName === '') throw invalid('Neither old nor new names may be empty')
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, () => {
    const container = context.registry.resolve(id)
    if (newName.replace(/^\//, '') === container.name) {
      throw invalid('Renaming a container with the same name as its current name')
    }
    const { name, reservation } = claimName(context, newName, id)
    using _ = reservation
    const renamed = context.registry.redefine(id, { name })
    fault('rename: recorded')
    context.networks.rename(id, name)
    const endpoints = context.networks.attachment(id)?.endpoints
    if (endpoints) context.registry.transition(id, { endpoints })
    announce(context, renamed, 'rename', { oldName: `/${container.name}` })
  })
}

function claimName(context: Context, newName: string, id: ContainerId) {
  const what = 'Error when allocating new name'
  try {
    // Its slash is shown where a name is refused.
    const name = parseContainerName(newName.startsWith('/') ? newName : `/${newName}`)
    return { name, reservation: context.registry.reserveName(name, id) }
  } catch (error) {
    const fail = isKind(error, 'conflict') ? conflict : invalid
    throw fail(`${what}: ${messageOf(error)}`, error)
  }
}
