import { conflict, type ContainerId, EngineError, fault, internal, messageOf, randomId, unavailable } from '@berth/base'
import { join } from 'node:path'
import { announceMember } from '../announce.ts'
import type { Context } from '../context.ts'
import { containerFiles } from '../files/container-files.ts'
import { serveNames, usesEngineDns } from '../dns/serve-sandbox.ts'
import { writeFiles } from '../files/write-files.ts'
import type { PublishedPort } from '../firewall/rules.ts'
import type { Endpoint } from '../model.ts'
import type { Attachment, AttachRequest } from '../networks.ts'
import { toPortMap } from '../ports/plan-ports.ts'
import { linkedNames, linkedPorts } from './links.ts'
import { letGo, release } from './detach.ts'
import { guardOf } from './guard.ts'
import { type AttachPlan, planAttachment } from './plan-attachment.ts'
import { publishPorts } from './publish.ts'
import { waysOut } from './routes.ts'
import { createSandbox, type PlannedLink } from './sandbox.ts'
import type { SandboxState } from './sandbox-states.ts'
import { releaseEndpoint, takeEndpoint } from './take-endpoint.ts'

const sharedPrefix = 'container:'

/** Makes a container's sandbox and its endpoints; gives everything back when a step fails. */
export async function attach(context: Context, request: AttachRequest): Promise<Attachment> {
  // What an earlier start left behind, if its detach was cut short.
  const earlier = context.states.get(request.containerId)
  if (earlier) await letGo(context, earlier)
  try {
    if (request.mode.startsWith(sharedPrefix)) return share(context, request)
    const plan = planAttachment(request, context)
    const attachment = await build(context, request, plan)
    for (const { record } of plan.endpoints) {
      announceMember(context, record, { action: 'connect', container: request.containerId })
    }
    return attachment
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
  context.states.put({
    containerId,
    name,
    attachment,
    sharedWith: id,
    pin: undefined,
    endpoints: [],
    ports: [],
    request,
  })
  return attachment
}

async function build(context: Context, request: AttachRequest, plan: AttachPlan): Promise<Attachment> {
  const { endpoints, ports } = take(context, request, plan)
  const state = stateOf(context, request, { plan, endpoints, ports })
  try {
    context.states.put(state)
    fault('attach: noted')
    const files = () => writeFiles(state, [...plan.extraHosts, ...linkedNames(request.links)])
    await create(context, state, files)
    fault('attach: created')
    return state.attachment
  } catch (error) {
    await release(context, state)
    throw error
  }
}

interface Taken {
  readonly endpoints: readonly Endpoint[]
  readonly ports: readonly PublishedPort[]
}

/** Addresses, names of links, ports: all or none. */
function take(context: Context, request: AttachRequest, plan: AttachPlan): Taken {
  const endpoints: Endpoint[] = []
  try {
    const asked = plan.endpoints.flatMap((one) => one.asked.DriverOpts?.['com.docker.network.endpoint.ifname'] ?? [])
    for (const planned of plan.endpoints) {
      const taken = [...asked, ...endpoints.flatMap(({ link }) => link?.inside ?? [])]
      endpoints.push(takeEndpoint(context, planned, { owner: request, taken }))
    }
    return { endpoints, ports: publishPorts(context, request, endpoints) }
  } catch (error) {
    for (const endpoint of endpoints) releaseEndpoint(context, endpoint)
    throw error
  }
}

function stateOf(
  context: Context,
  request: AttachRequest,
  { plan, endpoints, ports }: Taken & { readonly plan: AttachPlan },
): SandboxState {
  const sandboxId = randomId()
  const sandboxKey = join(context.pinDirectory, plan.isHost ? 'default' : sandboxId.slice(0, 12))
  const pin = plan.isHost ? undefined : sandboxKey
  const place = { netnsPath: pin, ...containerFiles(request.filesDirectory), sandboxId, sandboxKey }
  const { containerId, name } = request
  const attachment = { ...place, ...shownOf({ endpoints, ports }) }
  return { containerId, name, attachment, pin, sharedWith: undefined, endpoints, ports, request }
}

/** What others see of a container's endpoints. */
export function shownOf({ endpoints, ports }: Taken): Pick<Attachment, 'endpoints' | 'ports' | 'interfaces'> {
  return {
    endpoints: Object.fromEntries(endpoints.map(({ networkName, settings }) => [networkName, settings])),
    ports: toPortMap(ports),
    interfaces: endpoints.flatMap(({ link }) => link ?? []),
  }
}

/** Everything in the kernel: namespace, links, addresses, firewall; and the files, while it is busy. */
async function create(context: Context, state: SandboxState, files: () => void): Promise<void> {
  const { pin, endpoints, ports } = state
  if (pin === undefined) return files()
  const guards = endpoints.flatMap((endpoint) => guardOf(context, endpoint))
  const change = {
    pin,
    add: endpoints.flatMap((endpoint) => plannedLink(context, endpoint)),
    remove: [],
    before: { ipv4: undefined, ipv6: undefined },
    after: waysOut(endpoints),
  }
  await createSandbox(context.links, change, {
    connecting: () => {
      for (const guard of guards) context.firewall.guard(guard)
      files()
    },
    looped: usesEngineDns(endpoints) ? () => serveNames(context, state) : undefined,
    // Not before: who asks for an address that nobody has yet asks again a second later.
    settling: async () => {
      context.firewall.link(linkedPorts(state))
      await context.firewall.publish(ports)
    },
  })
}

export function plannedLink(
  { bridges, parents }: Pick<Context, 'bridges' | 'parents'>,
  endpoint: Endpoint,
): PlannedLink[] {
  const { link, networkId, networkName } = endpoint
  if (!link) return []
  const [bridge, parent] = [bridges.get(networkId), parents.get(networkId)]
  if (!bridge && !parent) throw unavailable(`the network ${networkName} has no link on this host`)
  return [{ endpoint: { ...endpoint, link }, bridge, parent }]
}
