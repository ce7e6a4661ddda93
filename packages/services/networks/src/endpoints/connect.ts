import { fault, forbidden, internal, invalid, messageOf } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { announceMember } from '../announce.ts'
import type { Context } from '../context.ts'
import { forgetEndpointNames, serveNames, serveNamesAnew } from '../dns/serve-sandbox.ts'
import { addHostsLines, removeHostsLines } from '../files/edit-hosts.ts'
import type { Endpoint } from '../model.ts'
import type { Attachment, MembershipRequest } from '../networks.ts'
import { plannedLink, shownOf } from './attach.ts'
import { checkEndpoint } from './check-endpoint.ts'
import { checkJoin, sharedNamespace } from './check-join.ts'
import { guardOf } from './guard.ts'
import { publishPorts, reachedAs } from './publish.ts'
import { waysOut } from './routes.ts'
import { changeLinks, type LinkChange } from './sandbox.ts'
import type { SandboxState } from './sandbox-states.ts'
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
  try {
    context.states.put({ ...state, endpoints: [...state.endpoints, { ...endpoint, isHalfMade: true }] })
    fault('connect: noted')
    for (const guard of guardOf(context, endpoint)) context.firewall.guard(guard)
    await changeLinks(context.links, linkChange(context, state, { endpoints, add: [endpoint], remove: [] }))
    fault('connect: linked')
    const next = await movePorts(context, state, endpoints)
    context.states.put(next)
    serveNamesAnew(context, next)
    addHostsLines(
      state.attachment.hostsPath,
      state.request,
      endpointAddresses(endpoint).map(({ address }) => address),
    )
    return next
  } catch (error) {
    await withdraw(context, state, endpoint)
    throw error
  }
}

/** Takes an endpoint's part in the kernel away and notes the container without it. */
async function withdraw(context: Context, state: SandboxState, endpoint: Endpoint): Promise<void> {
  const endpoints = state.endpoints.filter((other) => other !== endpoint)
  const remove = endpoint.link ? [endpoint.link] : []
  const before = { ...state, endpoints: [...endpoints, endpoint] }
  await changeLinks(context.links, linkChange(context, before, { endpoints, add: [], remove })).catch(
    (error: unknown) => {
      context.logger.warn({ container: state.containerId, error: messageOf(error) }, 'withdrawing an endpoint')
    },
  )
  forgetEndpointNames(context, endpoint)
  if (endpoint.link?.host) context.firewall.unguard(endpoint.link.host)
  releaseEndpoint(context, endpoint)
  context.states.put({ ...state, endpoints })
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

/** The state with other endpoints; its ports go where the way out goes, or stay where they are when they cannot. */
async function movePorts(context: Context, state: SandboxState, endpoints: readonly Endpoint[]): Promise<SandboxState> {
  const moves = reachedAs(state.endpoints) !== reachedAs(endpoints)
  const ports = moves ? await republish(context, state, endpoints) : state.ports
  return { ...state, endpoints, ports, attachment: { ...state.attachment, ...shownOf({ endpoints, ports }) } }
}

async function republish(
  context: Context,
  { ports: old, request, name }: SandboxState,
  endpoints: readonly Endpoint[],
): Promise<SandboxState['ports']> {
  context.firewall.unpublish(old)
  context.ports.release(old)
  await context.ports.settle()
  try {
    const ports = publishPorts(context, { ...request, name }, endpoints)
    context.firewall.publish(ports)
    return ports
  } catch (error) {
    await context.ports.settle()
    context.ports.restore(old)
    context.firewall.publish(old)
    throw error
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

/** Takes away what a killed engine had noted as half made, and what it had begun to take away. */
export async function finishHalfMade(context: Context, state: SandboxState): Promise<void> {
  for (const endpoint of state.endpoints.filter(({ isHalfMade }) => isHalfMade)) {
    await leave(context, context.states.get(state.containerId) ?? state, endpoint)
  }
}

async function leave(context: Context, state: SandboxState, endpoint: Endpoint): Promise<SandboxState> {
  const endpoints = state.endpoints.filter(({ settings }) => settings.EndpointID !== endpoint.settings.EndpointID)
  context.states.put({ ...state, endpoints: [...endpoints, { ...endpoint, isHalfMade: true }] })
  fault('disconnect: noted')
  const next = await movePorts(context, state, endpoints).catch((error: unknown) => {
    context.states.put(state)
    throw error
  })
  forgetEndpointNames(context, endpoint)
  const remove = endpoint.link ? [endpoint.link] : []
  await changeLinks(context.links, linkChange(context, state, { endpoints, add: [], remove }))
  fault('disconnect: unlinked')
  if (endpoint.link?.host) context.firewall.unguard(endpoint.link.host)
  releaseEndpoint(context, endpoint)
  context.states.put(next)
  serveNames(context, next)
  removeHostsLines(
    state.attachment.hostsPath,
    endpointAddresses(endpoint).map(({ address }) => address),
  )
  return next
}
