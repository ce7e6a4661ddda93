import { conflict, type ContainerId, EngineError, fault, internal, messageOf, randomId, unavailable } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { join } from 'node:path'
import { containerFiles, writeContainerFiles } from '../files/container-files.ts'
import type { Context } from '../context.ts'
import { release } from './detach.ts'
import type { Attachment, AttachRequest } from '../networks.ts'
import { type AttachPlan, macOf, planAttachment } from './plan-attachment.ts'
import { toPortMap } from '../ports/plan-ports.ts'
import type { PublishedPort } from '../firewall/rules.ts'
import { createBridgeSandbox, createLoopbackSandbox, insideName } from './sandbox.ts'
import type { SandboxState } from './sandbox-states.ts'
import { toText } from '../ipam/subnet.ts'

const sharedPrefix = 'container:'

/** Makes a container's sandbox and its endpoint; gives everything back when a step fails. */
export async function attach(context: Context, request: AttachRequest): Promise<Attachment> {
  // What an earlier start left behind, if its detach was cut short.
  const earlier = context.states.get(request.containerId)
  if (earlier) release(context, earlier)
  try {
    if (request.mode.startsWith(sharedPrefix)) return share(context, request)
    return await build(context, request, planAttachment(request, context))
  } catch (error) {
    throw described(error)
  }
}

/** Docker's words in front; a failure of the kernel becomes one of the engine. */
function described(error: unknown): EngineError {
  const message = `failed to set up container networking: ${messageOf(error)}`
  return error instanceof EngineError
    ? new EngineError(error.kind, message, { cause: error })
    : internal(message, error)
}

function share(context: Context, request: AttachRequest): Attachment {
  const id = request.mode.slice(sharedPrefix.length) as ContainerId
  const state = context.states.get(id)
  if (!state) throw conflict(`cannot join network namespace of a non running container: ${id}`)
  const { netnsPath, hostsPath, hostnamePath, resolvConfPath } = state.attachment
  const files = { hostsPath, hostnamePath, resolvConfPath }
  const attachment = { netnsPath, ...files, sandboxId: '', sandboxKey: '', endpoints: {}, ports: {}, interfaces: [] }
  const { containerId, name } = request
  context.states.put({ containerId, name, attachment, sharedWith: id, pin: undefined, address: undefined, ports: [] })
  return attachment
}

async function build(context: Context, request: AttachRequest, plan: AttachPlan): Promise<Attachment> {
  const address = plan.mode === 'bridge' ? allocateAddress(context) : undefined
  const ports: PublishedPort[] = []
  let state: SandboxState | undefined
  try {
    if (address !== undefined) ports.push(...context.ports.publish(plan.ports, { ipv4: address }))
    state = stateOf(context, request, plan, { address, ports })
    context.states.put(state)
    fault('attach: noted')
    await create(context, state)
    fault('attach: created')
    writeFiles(request, plan, state)
    return state.attachment
  } catch (error) {
    release(context, state ?? { containerId: request.containerId, address, ports, pin: undefined })
    if (plan.ports.length > 0 && !state) throw programmingError(request, plan, error)
    throw error
  }
}

function allocateAddress({ addresses, store }: Context): string {
  const address = addresses.allocate()
  if (address !== undefined) return toText(address)
  throw unavailable(`no available IPv4 addresses on this network's address pools: bridge (${store.get('bridge').id})`)
}

function programmingError({ name }: AttachRequest, plan: AttachPlan, error: unknown): EngineError {
  const endpoint = `${name} (${plan.endpoint.EndpointID})`
  const message = `driver failed programming external connectivity on endpoint ${endpoint}: ${messageOf(error)}`
  return error instanceof EngineError
    ? new EngineError(error.kind, message, { cause: error })
    : internal(message, error)
}

interface Taken {
  readonly address: string | undefined
  readonly ports: readonly PublishedPort[]
}

function stateOf(context: Context, request: AttachRequest, plan: AttachPlan, taken: Taken): SandboxState {
  const { mode, sandboxId } = plan
  const sandboxKey = join(context.pinDirectory, mode === 'host' ? 'default' : sandboxId.slice(0, 12))
  const pin = mode === 'host' ? undefined : sandboxKey
  const hostLink = `veth${randomId().slice(0, 7)}`
  const attachment: Attachment = {
    netnsPath: pin,
    ...containerFiles(request.filesDirectory),
    sandboxId,
    sandboxKey,
    endpoints: { [mode]: endpointOf(context, plan, taken.address) },
    ports: toPortMap(taken.ports),
    interfaces: taken.address === undefined ? [] : [{ inside: insideName, host: hostLink }],
  }
  const { containerId, name } = request
  return { containerId, name, attachment, pin, sharedWith: undefined, ...taken }
}

function endpointOf({ store, bridge }: Context, plan: AttachPlan, address: string | undefined): EndpointSettings {
  const endpoint = { ...plan.endpoint, NetworkID: store.get(plan.mode).id }
  if (address === undefined) return endpoint
  return {
    ...endpoint,
    Gateway: toText(bridge.gateway),
    IPAddress: address,
    IPPrefixLen: bridge.subnet.prefixLength,
    MacAddress: endpoint.MacAddress || macOf(address),
  }
}

/** Everything in the kernel: namespace, link, addresses, firewall. */
async function create(context: Context, { attachment, pin, address, ports }: SandboxState): Promise<void> {
  if (pin === undefined) return
  const [link] = attachment.interfaces
  if (address === undefined || !link) return await createLoopbackSandbox(pin)
  const mac = attachment.endpoints['bridge']?.MacAddress ?? macOf(address)
  context.firewall.guard({ hostLink: link.host, mac, addresses: [address], icc: true })
  await createBridgeSandbox(context.links, context.bridge, { pin, hostLink: link.host, address, mac })
  context.firewall.publish(ports)
}

function writeFiles(request: AttachRequest, plan: AttachPlan, { attachment, address }: SandboxState): void {
  const { hostname, domainname, dns, dnsSearch, dnsOptions } = request
  writeContainerFiles(attachment, {
    hostname,
    domainname,
    dns,
    dnsSearch,
    dnsOptions,
    addresses: address === undefined ? [] : [address],
    extraHosts: plan.extraHosts,
    isHost: plan.mode === 'host',
  })
}
