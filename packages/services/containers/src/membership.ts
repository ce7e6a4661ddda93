import {
  type ContainerId,
  type EngineError,
  forbidden,
  internal,
  invalid,
  isKind,
  notFound,
  ownValue,
  shortId,
} from '@berth/base'
import { type EndpointSettings, emptyEndpoint } from '@berth/engine-api'
import { type NetworkRecord, sharedNamespace } from '@berth/networks'
import type { Container } from './container.ts'
import type { Context } from './context.ts'
import { joinedContainer } from './plan/namespace-modes.ts'
import { isAlive } from './stop.ts'

type Endpoints = Container['requestedEndpoints']

/** What was asked of an endpoint, without what a client may have copied from another's. */
export function askedOf(settings: EndpointSettings): EndpointSettings {
  const { IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority } = settings
  return { ...emptyEndpoint(), IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority }
}

/** A new container's endpoints under the names of their networks, checked as far as the networks are there. */
export function planMemberships({ networks }: Context, endpoints: Endpoints): Endpoints {
  const named = Object.entries(endpoints).map(([ref, settings]) => {
    const name = nameOf(networks, ref)
    networks.checkConfig(name, settings)
    return [name, askedOf(settings)] as const
  })
  return Object.fromEntries(named)
}

function nameOf(networks: Context['networks'], ref: string): string {
  try {
    return networks.get(ref).name
  } catch (error) {
    if (isKind(error, 'notFound') || isKind(error, 'invalid')) return ref
    throw error
  }
}

export interface Membership {
  /** Id or name. */
  readonly network: string
  readonly container: string
}

/** Takes a container into a network: at once when it runs, else from its next start on. */
export async function connectNetwork(
  context: Context,
  { network, container: ref, settings }: Membership & { readonly settings: EndpointSettings | null },
): Promise<void> {
  const { id } = resolveMember(context, ref)
  const record = context.networks.get(network)
  await context.locks.run(id, async () => {
    const container = context.registry.resolve(id)
    requireChangeable(container)
    const asked = askedOf(settings ?? emptyEndpoint())
    const endpoints = isAlive(container)
      ? (await context.networks.connect({ containerId: id, network: record.id, settings: asked })).endpoints
      : joinAtRest(context, container, { record, asked })
    // After the kernel's part: who is killed before this finds it in the sandbox's state.
    context.registry.redefine(id, { requestedEndpoints: { ...container.requestedEndpoints, [record.name]: asked } })
    context.registry.transition(id, { endpoints })
  })
}

function resolveMember({ registry }: Context, ref: string): Container {
  if (ref === '') throw invalid('invalid name or ID supplied: ""')
  return registry.resolve(ref)
}

function requireChangeable({ id, hostConfig, state }: Container): void {
  if (state.status === 'removing' || state.status === 'dead') {
    throw forbidden(`Container ${id} is marked for removal and cannot be connected or disconnected to the network`)
  }
  if (joinedContainer(hostConfig.NetworkMode) !== undefined) throw forbidden(sharedNamespace)
}

interface Joining {
  readonly record: NetworkRecord
  readonly asked: EndpointSettings
}

/** What it is in already, it is in with new settings. */
function joinAtRest({ networks }: Context, container: Container, { record, asked }: Joining): Endpoints {
  const others = Object.keys(container.endpoints).filter((name) => name !== record.name)
  networks.checkMember(record.name, asked, others)
  const DNSNames = record.name === 'bridge' || record.name === 'none' ? null : namesAtRest(container, asked)
  return { ...container.endpoints, [record.name]: { ...asked, DNSNames } }
}

function namesAtRest({ id, name, config }: Container, { Aliases }: EndpointSettings): string[] {
  return [...new Set([name, ...(Aliases ?? []), shortId(id), ...(config.Hostname ? [config.Hostname] : [])])]
}

/** Takes a container out of a network. */
export async function disconnectNetwork(context: Context, leaving: Leaving): Promise<void> {
  const member = resolveLeaving(context, leaving)
  const { id } = member
  const record = networkLeft(context, member, leaving)
  await context.locks.run(id, async () => {
    const container = context.registry.resolve(id)
    if (record.driver === 'host' && container.endpoints['host']) {
      throw forbidden('cannot disconnect container from host network - container was created in host network mode')
    }
    const endpoints = isAlive(container)
      ? (await context.networks.disconnect({ containerId: id, network: record.id })).endpoints
      : leaveAtRest(container, record)
    context.registry.redefine(id, { requestedEndpoints: without(container.requestedEndpoints, record.name) })
    context.registry.transition(id, { endpoints })
  })
}

type Leaving = Membership & { readonly force: boolean }

function resolveLeaving(context: Context, { network, container: ref, force }: Leaving): Container {
  try {
    return resolveMember(context, ref)
  } catch (error) {
    if (!force || !isKind(error, 'notFound')) throw error
    // In Docker's order: what is not there at all is told of first.
    context.networks.get(network)
    throw notFound(`endpoint ${ref} not found`, error)
  }
}

/** Docker looks for the network itself only where it is to change what runs. */
function networkLeft({ networks }: Context, member: Container, { network, force }: Leaving): NetworkRecord {
  try {
    return networks.get(network)
  } catch (error) {
    if (isKind(error, 'notFound') && (force || !isAlive(member))) throw notConnected(member, network)
    throw error
  }
}

function leaveAtRest(container: Container, { name }: NetworkRecord): Endpoints {
  if (!Object.hasOwn(container.endpoints, name)) throw notConnected(container, name)
  return without(container.endpoints, name)
}

const notConnected = ({ id }: Container, network: string): EngineError =>
  internal(`container ${id} is not connected to the network ${network}`)

const without = (endpoints: Endpoints, gone: string): Endpoints =>
  Object.fromEntries(Object.entries(endpoints).filter(([name]) => name !== gone))

/** Records where a running container is, when an engine was killed before it could. */
export function adoptMemberships({ networks, registry }: Context, id: ContainerId): void {
  const container = registry.byId(id)
  const actual = networks.attachment(id)?.endpoints
  if (!container || !actual || joinedContainer(container.hostConfig.NetworkMode) !== undefined) return
  const names = (endpoints: Endpoints) => Object.keys(endpoints).toSorted().join('\n')
  if (names(container.requestedEndpoints) === names(actual) && names(container.endpoints) === names(actual)) return
  const requested = Object.entries(actual).map(([name, settings]) => {
    return [name, ownValue(container.requestedEndpoints, name) ?? { ...askedOf(settings), MacAddress: '' }] as const
  })
  registry.redefine(id, { requestedEndpoints: Object.fromEntries(requested) })
  registry.transition(id, { endpoints: actual })
}
