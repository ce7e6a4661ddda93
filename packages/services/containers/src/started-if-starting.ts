import type { Container } from './container.ts'
import type { Context } from './context.ts'

/** Of a container that is being started it is the process to come that is meant, as in Docker. */
export async function startedIfStarting({ registry, starts }: Context, ref: string): Promise<Container> {
  const { id } = registry.resolve(ref)
  await starts.settled(id)
  return registry.resolve(id)
}
