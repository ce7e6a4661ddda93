import { invalid } from '@berth/base'
import { announce } from './announce.ts'
import type { Context } from './context.ts'
import { parseContainerName } from './names.ts'

export async function renameContainer(context: Context, ref: string, newName: string): Promise<void> {
  if (ref === '' || newName === '') throw invalid('Neither old nor new names may be empty')
  const { id } = context.registry.resolve(ref)
  await context.locks.run(id, () => {
    const container = context.registry.resolve(id)
    const name = parseContainerName(newName)
    if (name === container.name) {
      throw invalid('Renaming a container with the same name as its current name')
    }
    using _ = context.registry.reserveName(name, id)
    const renamed = context.registry.redefine(id, { name })
    announce(context, renamed, 'rename', { oldName: `/${container.name}` })
  })
}
