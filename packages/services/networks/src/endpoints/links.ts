import type { ContainerId } from '@berth/base'
import type { Context } from '../context.ts'
import { moveHostsLine } from '../files/edit-hosts.ts'
import type { LinkedPort, Protocol } from '../firewall/rules.ts'
import type { LinkedHost } from '../networks.ts'
import type { SandboxState } from './sandbox-states.ts'

/** What a container may reach on the default bridge by its links, whatever the network forbids. */
export function linkedPorts({ endpoints, request }: Pick<SandboxState, 'endpoints' | 'request'>): LinkedPort[] {
  const from = endpoints.find(({ networkName }) => networkName === 'bridge')?.settings.IPAddress
  if (!from) return []
  return (request.links ?? []).flatMap(({ address, ports }) =>
    ports.map(({ port, protocol }) => ({ from, to: address, port, protocol: protocol as Protocol })),
  )
}

/** The hosts file's entries of links: names and address. */
export const linkedNames = (links: readonly LinkedHost[] = []): [string, string][] =>
  links.map(({ names, address }) => [names.join(' '), address])

export function updateLink(context: Context, id: ContainerId, link: LinkedHost): void {
  const [alias] = link.names
  changeLinks(context, id, (links) => links.map((old) => (old.names[0] === alias ? link : old)))
  const state = context.states.get(id)
  if (state && alias !== undefined) moveHostsLine(state.attachment.hostsPath, alias, link.address)
}

export function removeLink(context: Context, id: ContainerId, alias: string): void {
  changeLinks(context, id, (links) => links.filter(({ names }) => names[0] !== alias))
  const state = context.states.get(id)
  if (state) moveHostsLine(state.attachment.hostsPath, alias, undefined)
}

function changeLinks(
  { states, firewall }: Context,
  id: ContainerId,
  change: (links: readonly LinkedHost[]) => readonly LinkedHost[],
): void {
  const state = states.staying(id)
  if (!state) return
  const next = { ...state, request: { ...state.request, links: change(state.request.links ?? []) } }
  firewall.unlink(linkedPorts(state))
  firewall.link(linkedPorts(next))
  states.put(next)
}
