import type { Container } from './container.ts'
import type { Context } from './context.ts'

/** Publishes a container event with Docker's attributes: image, name, the labels, and what the action adds. */
export function announce(
  { events }: Pick<Context, 'events'>,
  container: Container,
  action: string,
  extra: Readonly<Record<string, string>> = {},
): void {
  const attributes = { ...container.config.Labels, image: container.config.Image, name: container.name, ...extra }
  events.publish('container', action, container.id, attributes)
}
