import { fault, forbidden, internal, invalid, messageOf } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { announceMember } from '../announce.ts'
import type { Context } from '../context.ts'
import { forgetEndpointNames, serveNames, serveNamesAnew } from '../dns/serve-sandbox.ts'
import { addHostsLines, removeHostsLines } from '../files/edit-hosts.ts'
import type { Endpoint } from '../model.ts'
import type { Attachment, MembershipRequest } from '../networks.ts'
import { checkEndpoint } from './check-endpoint.ts'
import { checkJoin, sharedNamespace } from './check-join.ts'
import { guardOf } from './guard.ts'
import { plannedLink } from './planned-link.ts'
import { PortMove } from './port-move.ts'
import { waysOut } from './routes.ts'
import { changeLinks, type LinkChange } from './sandbox.ts'
import { type SandboxState, withMembership } from './sandbox-states.ts'
import { endpointAddresses, releaseEndpoint, takeEndpoint } from './take-endpoint.ts'

/** Takes a running container into one more network; all or nothing. The caller holds the container's lock. */
export async function connect(
  context: Context,
  { containerId, network, settings }: MembershipRequest & { readonly settings: EndpointSettings },
): Promise<Attachment> {
  const state = requireAttached(context, containerId)
  if (state.sharedWith !== undefined) throw forbidden(sharedNamespace)
  const record = context.registry.resolve(network)
  checkEndpoint(record, settings)
  if (state.endpoints.some(({ networkId }) => networkId === record.id)) {
    throw forbidden(`endpoint with name ${state.name} already exists in network ${record.name}`)
  }
  checkJoin(
    record,
    state.endpoints.map(({ networkName }) => networkName),
  )
  const taken = state.endpoints.flatMap(({ link }) => link?.inside ?? [])
  const endpoint = takeEndpoint(
    context,
    { record, asked: settings },
    { owner: { ...state.request, name: state.name }, taken },
  )
  const next = await enter(context, state, endpoint)
  announceMember(context, record, { action: 'connect', container: containerId })
  return next.attachment
}

function requireAttached({ states }: Context, containerId: MembershipRequest['containerId']): SandboxState {
  const state = states.get(containerId)
  if (!state) throw invalid(`container ${containerId} is not running`)
  return state
}

/** Noted as half made first: a killed engine's successor takes the endpoint away again. */
async function enter(context: Context, state: SandboxState, endpoint: Endpoint): Promise<SandboxState> {
  const endpoints = [...state.endpoints, endpoint]
  const move = new PortMove(context, state)
  try {
    context.states.put({ ...state, endpoints: [...state.endpoints, { ...endpoint, isHalfMade: true }] })
    fault('connect: noted')
    for (const guard of guardOf(context, endpoint)) context.firewall.guard(guard)
    await changeLinks(context.links, linkChange(context, state, { endpoints, add: [endpoint], remove: [] }))
    fault('connect: linked')
    await move.to(endpoints)
    const next = withMembership(state, { endpoints, ports: move.ports })
    serveNamesAnew(context, next)
    context.states.put(next)
    move.commit()
    const addresses = endpointAddresses(endpoint).map(({ address }) => address)
    editHosts(context, next, (path) => addHostsLines(path, state.request, addresses))
    return next
  } catch (error) {
    await move.undo()
    await withdraw(context, withMembership(state, { endpoints: state.endpoints, ports: move.ports }), endpoint)
    throw error
  }
}

/** The container is where it is without that: it may have done anything to the file. */
function editHosts({ logger }: Context, { containerId, attachment }: SandboxState, edit: (path: string) => void): void {
  try {
    edit(attachment.hostsPath)
  } catch (error) {
    logger.warn({ container: containerId, error: messageOf(error) }, 'a hosts file is not as the networks are')
  }
}

/** Takes an endpoint's part in the kernel away and notes the container without it: as `before`. */
async function withdraw(context: Context, before: SandboxState, endpoint: Endpoint): Promise<void> {
  const { endpoints } = before
  const remove = endpoint.link ? [endpoint.link] : []
  const entered = { ...before, endpoints: [...endpoints, endpoint] }
  await changeLinks(context.links, linkChange(context, entered, { endpoints, add: [], remove })).catch(
    (error: unknown) => {
      context.logger.warn({ container: before.containerId, error: messageOf(error) }, 'withdrawing an endpoint')
    },
  )
  forgetEndpointNames(context, endpoint)
  giveBack(context, before, endpoint)
}

/** Notes the container without an endpoint, then lets others have what that had: never what is still noted. */
function giveBack(context: Context, without: SandboxState, endpoint: Endpoint): void {
  context.states.put(without)
  if (endpoint.link?.host) context.firewall.unguard(endpoint.link.host)
  releaseEndpoint(context, endpoint)
}

interface EndpointChange {
  readonly endpoints: readonly Endpoint[]
  readonly add: readonly Endpoint[]
  readonly remove: LinkChange['remove']
}

function linkChange(context: Context, state: SandboxState, { endpoints, add, remove }: EndpointChange): LinkChange {
  if (state.pin === undefined) throw new Error(`the container ${state.containerId} has no namespace of its own`)
  return {
    pin: state.pin,
    add: add.flatMap((endpoint) => plannedLink(context, endpoint)),
    remove,
    before: waysOut(state.endpoints),
    after: waysOut(endpoints),
  }
}

/** Takes a running container out of a network. The caller holds the container's lock. */
export async function disconnect(context: Context, { containerId, network }: MembershipRequest): Promise<Attachment> {
  const record = context.registry.resolve(network)
  const state = requireAttached(context, containerId)
  const endpoint = state.endpoints.find(({ networkId }) => networkId === record.id)
  if (!endpoint) throw internal(`container ${containerId} is not connected to network ${record.name}`)
  const next = await leave(context, state, endpoint)
  announceMember(context, record, { action: 'disconnect', container: containerId })
  return next.attachment
}

/** Takes away what a killed engine had noted as half made, and what it had begun to take away; what cannot go is told. */
export async function finishHalfMade(context: Context, state: SandboxState): Promise<void> {
  const { containerId } = state
  for (const endpoint of state.endpoints.filter(({ isHalfMade }) => isHalfMade)) {
    try {
      await leave(context, context.states.get(containerId) ?? state, endpoint)
    } catch (error) {
      const subject = { container: containerId, network: endpoint.networkName, error: messageOf(error) }
      context.logger.error(subject, 'an endpoint that was half made cannot be taken away')
    }
  }
}

async function leave(context: Context, state: SandboxState, endpoint: Endpoint): Promise<SandboxState> {
  const endpoints = state.endpoints.filter(({ settings }) => settings.EndpointID !== endpoint.settings.EndpointID)
  const noted = { ...state, endpoints: [...endpoints, { ...endpoint, isHalfMade: true }] }
  const move = new PortMove(context, state)
  let stays = state
  try {
    context.states.put(noted)
    fault('disconnect: noted')
    await move.to(endpoints)
    // From here on its link may be gone.
    stays = noted
    const remove = endpoint.link ? [endpoint.link] : []
    await changeLinks(context.links, linkChange(context, state, { endpoints, add: [], remove }))
    fault('disconnect: unlinked')
    giveBack(context, withMembership(state, { endpoints, ports: move.ports }), endpoint)
  } catch (error) {
    await move.undo()
    context.states.put(withMembership(stays, { endpoints: stays.endpoints, ports: move.ports }))
    throw error
  }
  move.commit()
  return forgetMembership(context, requireAttached(context, state.containerId), endpoint)
}

/** Takes the names of an endpoint that is no more from the container. */
function forgetMembership(context: Context, state: SandboxState, endpoint: Endpoint): SandboxState {
  forgetEndpointNames(context, endpoint)
  serveNames(context, state)
  const addresses = endpointAddresses(endpoint).map(({ address }) => address)
  editHosts(context, state, (path) => removeHostsLines(path, addresses))
  return state
}
