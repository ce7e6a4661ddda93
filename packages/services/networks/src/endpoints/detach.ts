import { type ContainerId, fault, messageOf } from '@berth/base'
import { unpinNetns } from '@berth/linux'
import { announceMember } from '../announce.ts'
import type { Context } from '../context.ts'
import { forgetNames } from '../dns/serve-sandbox.ts'
import { linkedPorts } from './links.ts'
import { changeLinks, deleteLinks } from './sandbox.ts'
import type { SandboxState } from './sandbox-states.ts'
import { releaseEndpoint } from './take-endpoint.ts'
import { together } from './together.ts'

/** Gives back all that a container has in the network; nothing if it has nothing. */
export async function detach(context: Context, id: ContainerId): Promise<void> {
  const state = context.states.get(id)
  if (!state) return
  await letGo(context, state)
  for (const { networkId } of state.endpoints) {
    const record = context.registry.byId(networkId)
    if (record) announceMember(context, record, { action: 'disconnect', container: id })
  }
}

/** Gives back what a container has that has come to be. */
export async function letGo(context: Context, state: SandboxState): Promise<void> {
  await emptyShared(context, state)
  await release(context, state)
}

/** A namespace outlives its container where others share it: its links would stay, with addresses that are others' then. */
async function emptyShared(context: Context, { containerId, pin, endpoints }: SandboxState): Promise<void> {
  if (pin === undefined || !context.states.all().some(({ sharedWith }) => sharedWith === containerId)) return
  const remove = endpoints.flatMap(({ link }) => (link?.host ? [link] : []))
  const none = { ipv4: undefined, ipv6: undefined }
  try {
    // Those with an end here wherever the other one is by now, then what is inside, whatever it is called by now.
    await changeLinks(context.links, { pin, add: [], remove, before: none, after: none })
    await deleteLinks(pin)
  } catch (error) {
    context.logger.warn({ container: containerId, error: messageOf(error) }, 'a shared namespace keeps its links')
  }
}

/** What leads into the namespace, from the host and from inside. */
async function giveUp(context: Context, state: SandboxState): Promise<void> {
  const { containerId, ports, endpoints } = state
  await context.firewall.withdraw({
    ports,
    // They may have changed meanwhile.
    links: linkedPorts(context.states.get(containerId) ?? state),
    hostLinks: endpoints.flatMap(({ link }) => link?.host || []),
  })
  context.ports.release(ports)
  fault('detach: ports')
  forgetNames(context, state)
}

/**
 * Gives back what `state` names, whether it was made or not: the addresses after the rules, so that no packet for the next owner
 * comes through its ports; the record last, so that what fails is tried again.
 */
export async function release(context: Context, state: SandboxState): Promise<void> {
  const { containerId, pin, endpoints } = state
  using _ = context.states.leave(containerId)
  // The veth goes with its namespace: the kernel deletes it when nobody is inside any more.
  await together([pin === undefined ? undefined : unpinNetns(pin)], () => giveUp(context, state))
  fault('detach: namespace')
  for (const endpoint of endpoints) releaseEndpoint(context, endpoint)
  context.states.remove(containerId)
}
