import { join } from 'node:path'
import { fault, randomId } from '@berth/base'
import type { Context } from '../context.ts'
import { serveNames, usesEngineDns } from '../dns/serve-sandbox.ts'
import { containerFiles } from '../files/container-files.ts'
import { writeFiles } from '../files/write-files.ts'
import type { Endpoint } from '../model.ts'
import type { Attachment, AttachRequest } from '../networks.ts'
import { release } from './detach.ts'
import { guardOf } from './guard.ts'
import { linkedNames, linkedPorts } from './links.ts'
import type { AttachPlan } from './plan-attachment.ts'
import { plannedLink } from './planned-link.ts'
import { publishPorts } from './publish.ts'
import { waysOut } from './routes.ts'
import { createSandbox } from './sandbox.ts'
import { type SandboxState, withMembership } from './sandbox-states.ts'
import { releaseEndpoint, takeEndpoint } from './take-endpoint.ts'

/** A container's place in the networks while it comes to be. Addresses and names of links are taken from the beginning. */
export class NewSandbox {
  readonly #context: Context
  readonly #plan: AttachPlan
  #state: SandboxState

  constructor(context: Context, request: AttachRequest, plan: AttachPlan) {
    this.#context = context
    this.#plan = plan
    this.#state = stateOf(context, request, { plan, endpoints: takeEndpoints(context, request, plan) })
  }

  /** Makes everything, and notes it; gives everything back when a step fails. The caller holds the links' lock, if it has any. */
  async create(): Promise<Attachment> {
    const { pin } = this.#state
    try {
      if (pin === undefined) {
        this.#note()
        this.#writeFiles()
      } else await this.#createLinks(pin)
      fault('attach: created')
      return this.#state.attachment
    } catch (error) {
      await release(this.#context, this.#state)
      throw error
    }
  }

  /** Everything in the kernel: namespace, links, addresses, firewall; and the rest, while it is busy. */
  async #createLinks(pin: string): Promise<void> {
    const context = this.#context
    const { endpoints } = this.#state
    const change = {
      pin,
      add: endpoints.flatMap((endpoint) => plannedLink(context, endpoint)),
      remove: [],
      before: { ipv4: undefined, ipv6: undefined },
      after: waysOut(endpoints),
    }
    await createSandbox(context.links, change, {
      needsLoopback: usesEngineDns(endpoints),
      noting: () => this.#note(),
      connecting: () => {
        for (const guard of endpoints.flatMap((one) => guardOf(context, one))) context.firewall.guard(guard)
        this.#writeFiles()
      },
      configuring: () => serveNames(context, this.#state),
      // Not before: who asks for an address that nobody has yet asks again a second later.
      settling: async () => {
        context.firewall.link(linkedPorts(this.#state))
        await context.firewall.publish(this.#state.ports)
      },
    })
  }

  /** Takes the ports as well, so that a killed engine's successor knows of all that there may be. */
  #note(): void {
    fault('attach: not noted')
    const { endpoints, request } = this.#state
    const ports = publishPorts(this.#context, request, endpoints)
    this.#state = withMembership(this.#state, { endpoints, ports })
    this.#context.states.put(this.#state)
    fault('attach: noted')
  }

  #writeFiles(): void {
    writeFiles(this.#state, [...this.#plan.extraHosts, ...linkedNames(this.#state.request.links)])
  }
}

/** All or none. */
function takeEndpoints(context: Context, request: AttachRequest, plan: AttachPlan): readonly Endpoint[] {
  const endpoints: Endpoint[] = []
  try {
    const asked = plan.endpoints.flatMap((one) => one.asked.DriverOpts?.['com.docker.network.endpoint.ifname'] ?? [])
    for (const planned of plan.endpoints) {
      const taken = [...asked, ...endpoints.flatMap(({ link }) => link?.inside ?? [])]
      endpoints.push(takeEndpoint(context, planned, { owner: request, taken }))
    }
    return endpoints
  } catch (error) {
    for (const endpoint of endpoints) releaseEndpoint(context, endpoint)
    throw error
  }
}

interface Taken {
  readonly plan: AttachPlan
  readonly endpoints: readonly Endpoint[]
}

function stateOf(context: Context, request: AttachRequest, { plan, endpoints }: Taken): SandboxState {
  const sandboxId = randomId()
  const sandboxKey = join(context.pinDirectory, plan.isHost ? 'default' : sandboxId.slice(0, 12))
  const pin = plan.isHost ? undefined : sandboxKey
  const place = { netnsPath: pin, ...containerFiles(request.filesDirectory), sandboxId, sandboxKey }
  // What others see of it is there once it is noted.
  const attachment = { ...place, endpoints: {}, ports: {}, interfaces: [] }
  const { containerId, name } = request
  return { containerId, name, attachment, pin, sharedWith: undefined, endpoints, ports: [], request }
}
