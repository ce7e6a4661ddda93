import { type ContainerId, fault } from '@berth/base'
import { unpinNetns } from '@berth/linux'
import type { Context } from '../context.ts'
import type { SandboxState } from './sandbox-states.ts'
import { toNumber } from '../ipam/subnet.ts'

/** Gives back all that a container has in the network; nothing if it has nothing. */
export function detach(context: Context, id: ContainerId): void {
  const state = context.states.get(id)
  if (state) release(context, state)
}

type Releasable = Pick<SandboxState, 'containerId' | 'ports' | 'pin' | 'address'> & Partial<SandboxState>

/**
 * Gives back what `state` names, whether it was made or not: the ports first, so that no packet for the next owner of the
 * address comes through them; the record last, so that what fails is tried again.
 */
export function release(context: Context, { containerId, ports, pin, address, attachment }: Releasable): void {
  context.firewall.unpublish(ports)
  context.ports.release(ports)
  fault('detach: ports')
  // The veth goes with its namespace: the kernel deletes it when nobody is inside any more.
  if (pin !== undefined) unpinNetns(pin)
  fault('detach: namespace')
  for (const { host } of attachment?.interfaces ?? []) context.firewall.unguard(host)
  if (address !== undefined) context.addresses.release(toNumber(address))
  context.states.remove(containerId)
}
