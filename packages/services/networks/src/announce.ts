import type { ContainerId } from '@berth/base'
import type { Context } from './context.ts'
import type { NetworkRecord } from './model.ts'

type Named = Pick<NetworkRecord, 'id' | 'name' | 'driver'>

export function announceNetwork({ events }: Context, { id, name, driver }: Named, action: 'create' | 'destroy'): void {
  events.publish('network', action, id, { name, type: driver })
}

/** A container came into a network, or left it. */
export function announceMember(
  { events }: Context,
  { id, name, driver }: Named,
  { action, container }: { readonly action: 'connect' | 'disconnect'; readonly container: ContainerId },
): void {
  events.publish('network', action, id, { container, name, type: driver })
}
