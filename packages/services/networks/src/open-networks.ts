import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type ContainerId, KeyedLock, type Logger } from '@berth/base'
import type { Database } from '@berth/database'
import { type LinkStatistics, RouteRequest, RouteSocket, unpinNetns } from '@berth/linux'
import { AddressPool } from './ipam/address-pool.ts'
import { attach } from './endpoints/attach.ts'
import { type Bridge, ensureBridge, setSysctls } from './bridge/bridge.ts'
import type { Context, DnsDefaults } from './context.ts'
import { detach, release } from './endpoints/detach.ts'
import { listNetworks } from './list-networks.ts'
import type { AttachRequest, InterfaceCounters, Networks } from './networks.ts'
import type { DescriptorStore } from './ports/port-listener.ts'
import { PublishedPorts } from './ports/published-ports.ts'
import { Relay } from './ports/relay.ts'
import { openFirewall } from './firewall/firewall.ts'
import type { GuardedLink, NetworkRules } from './firewall/rules.ts'
import { readCounters } from './endpoints/sandbox.ts'
import { type SandboxState, SandboxStates } from './endpoints/sandbox-states.ts'
import { type NetworkStore, openStore } from './store.ts'
import { formatSubnet, parseCidr, toNumber, toText } from './ipam/subnet.ts'

export interface NetworksOptions {
  readonly database: Database
  /** Holds `netns/` and `networks/`. */
  readonly runRoot: string
  readonly logger: Logger
  /** Name of the default bridge. Default berth0. */
  readonly bridge?: string | undefined
  /** The bridge's address in CIDR form; default: a free one of Docker's pools. */
  readonly bip?: string | undefined
  /** Default 1500. */
  readonly mtu?: number | undefined
  /** Hide the bridge's containers behind the host's addresses. Default true. */
  readonly ipMasquerade?: boolean | undefined
  /** Switch on the kernel's forwarding. Default true. */
  readonly ipForward?: boolean | undefined
  /** Keeps sockets over a restart of the engine; default: they end with it. */
  readonly descriptors?: DescriptorStore | undefined
  /** The address of published ports for which none is asked; default: all of both families. */
  readonly bindingIp?: string | undefined
  /** Published ports are services of the host's, behind its own filter for incoming packets; default false. */
  readonly relaysPorts?: boolean | undefined
  /** What `host-gateway` stands for; default: the bridge's address. */
  readonly hostGatewayIp?: string | undefined
  /** What containers get that have no setting of their own. */
  readonly dns?: readonly string[] | undefined
  readonly dnsOptions?: readonly string[] | undefined
  readonly dnsSearch?: readonly string[] | undefined
}

const counterNames = {
  rxBytes: 'rx_bytes',
  rxPackets: 'rx_packets',
  rxErrors: 'rx_errors',
  rxDropped: 'rx_dropped',
  txBytes: 'tx_bytes',
  txPackets: 'tx_packets',
  txErrors: 'tx_errors',
  txDropped: 'tx_dropped',
} as const satisfies Record<keyof LinkStatistics, keyof InterfaceCounters>

/**
 * Opens the networks: the bridge and the firewall's table come to be, or are found as an earlier process left them, with
 * the sandboxes of its containers. Disposing leaves all that running containers need, and nothing when there are none.
 */
export async function openNetworks(options: NetworksOptions): Promise<Networks> {
  const context = await openContext(options)
  return {
    attach: (request) =>
      context.locks.run(request.containerId, () => attach(context, withDefaults(context.dns, request))),
    detach: (id) => context.locks.run(id, () => detach(context, id)),
    counters: async (id) => counters(context, id),
    reconcile: async (alive) => reconcile(context, new Set(alive)),
    attachment: (id) => context.states.get(id)?.attachment,
    list: () => listNetworks(context),
    [Symbol.asyncDispose]: () => close(context),
  }
}

async function openContext(options: NetworksOptions): Promise<Context> {
  const { database, runRoot, logger } = options
  const store = openStore(database)
  const states = new SandboxStates(join(runRoot, 'networks'))
  states.load(logger)
  const pinDirectory = join(runRoot, 'netns')
  mkdirSync(pinDirectory, { recursive: true, mode: 0o700 })
  await using stack = new AsyncDisposableStack()
  const links = stack.use(new RouteSocket())
  const bridge = openBridge(links, store, options)
  setSysctls(bridge, { ipForward: options.ipForward ?? true }, logger)
  const firewall = stack.use(
    await openFirewall({
      logger,
      networks: [bridgeRules(bridge, options.ipMasquerade ?? true)],
      guards: states.all().flatMap(guardOf),
      ports: states.all().flatMap((state) => state.ports),
    }),
  )
  const context: Context = {
    logger,
    store,
    states,
    bridge,
    links,
    pinDirectory,
    addresses: restoreAddresses(bridge, states),
    ports: restorePorts(states, options),
    firewall,
    dns: { servers: options.dns ?? [], options: options.dnsOptions ?? [], search: options.dnsSearch ?? [] },
    locks: new KeyedLock(),
    bindingIp: options.bindingIp ?? '0.0.0.0',
    hostGateway: options.hostGatewayIp ?? toText(bridge.gateway),
  }
  stack.move()
  return context
}

const bridgeRules = ({ name, subnet }: Bridge, masquerade: boolean): NetworkRules => ({
  bridge: name,
  ipv4: { subnets: [formatSubnet(subnet)], gatewayMode: 'nat', masquerade },
  icc: true,
  isInternal: false,
})

function guardOf({ attachment, address }: SandboxState): GuardedLink[] {
  const mac = attachment.endpoints['bridge']?.MacAddress
  if (address === undefined || !mac) return []
  return attachment.interfaces.map(({ host }) => ({ hostLink: host, mac, addresses: [address], icc: true }))
}

function openBridge(links: RouteSocket, store: NetworkStore, options: NetworksOptions): Bridge {
  const before = store.get('bridge').subnet
  const bridge = ensureBridge(links, {
    name: options.bridge ?? 'berth0',
    bip: options.bip,
    mtu: options.mtu ?? 1500,
    preferred: before === undefined ? undefined : parseCidr(before).subnet,
  })
  const subnet = formatSubnet(bridge.subnet)
  if (subnet !== before) store.setSubnet('bridge', subnet)
  return bridge
}

function restoreAddresses(bridge: Bridge, states: SandboxStates): AddressPool {
  const pool = new AddressPool(bridge.subnet, [bridge.gateway])
  for (const { address } of states.all()) if (address !== undefined) pool.restore(toNumber(address))
  return pool
}

function restorePorts(states: SandboxStates, { logger, descriptors, relaysPorts }: NetworksOptions): PublishedPorts {
  const relay = new Relay(logger.warn.bind(logger))
  const store = descriptors ?? noDescriptors
  const ports = new PublishedPorts({ logger, store, relay, relaysAll: relaysPorts ?? false })
  for (const state of states.all()) ports.restore(state.ports)
  return ports
}

/** What a process that is not to be outlived keeps. */
const noDescriptors: DescriptorStore = { put() {}, take: () => undefined, drop() {} }

function withDefaults(dns: DnsDefaults, request: AttachRequest): AttachRequest {
  return {
    ...request,
    dns: request.dns.length > 0 ? request.dns : dns.servers,
    dnsOptions: request.dnsOptions.length > 0 ? request.dnsOptions : dns.options,
    dnsSearch: request.dnsSearch.length > 0 ? request.dnsSearch : dns.search,
  }
}

/** Drops the sandboxes of containers that are no more, and pins that no sandbox knows. */
function reconcile(context: Context, alive: ReadonlySet<ContainerId>): void {
  for (const state of context.states.all()) {
    if (!alive.has(state.containerId)) release(context, state)
  }
  const known = new Set(context.states.all().map(({ pin }) => pin))
  for (const name of readdirSync(context.pinDirectory)) {
    const pin = join(context.pinDirectory, name)
    if (!known.has(pin)) unpinNetns(pin)
  }
}

function counters({ states }: Context, id: ContainerId): Record<string, InterfaceCounters> {
  const state = states.get(id)
  const pin = state?.pin ?? (state?.sharedWith === undefined ? undefined : states.get(state.sharedWith)?.pin)
  if (pin === undefined) return {}
  return Object.fromEntries([...readCounters(pin)].map(([name, statistics]) => [name, toCounters(statistics)]))
}

function toCounters(statistics: LinkStatistics): InterfaceCounters {
  const names = Object.entries(counterNames) as [keyof LinkStatistics, keyof InterfaceCounters][]
  return Object.fromEntries(names.map(([from, to]) => [to, statistics[from]])) as unknown as InterfaceCounters
}

/** Lets go of this process's sockets, and of the bridge and the table when no container needs them. */
async function close({ states, ports, firewall, links, bridge, logger }: Context): Promise<void> {
  ports[Symbol.dispose]()
  try {
    if (states.all().length === 0) {
      await firewall.remove()
      await links.sendAsync(new RouteRequest().deleteLink(bridge.name), `delete ${bridge.name}`)
    }
  } catch (error) {
    logger.warn({ error }, 'the default bridge could not be removed')
  } finally {
    await firewall[Symbol.asyncDispose]()
    links[Symbol.dispose]()
  }
}
