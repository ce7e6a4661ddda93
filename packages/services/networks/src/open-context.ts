import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DescriptorStore, KeyedLock, type Logger, messageOf, type NetworkId, noDescriptors } from '@berth/base'
import type { Database } from '@berth/database'
import type { Events } from '@berth/events'
import { RouteSocket } from '@berth/linux'
import { deleteBridges, linkAddresses } from './bridge/bridge.ts'
import { buildDefaultBridge, defaultBridgeName, type DefaultBridgeOptions } from './bridge/default-bridge.ts'
import { type BridgeContext, networkRules, openBridge, type OpenBridge } from './bridges.ts'
import type { Context } from './context.ts'
import { openDns } from './dns/dns.ts'
import { serveNames } from './dns/serve-sandbox.ts'
import { findParent, isStacked } from './drivers/stacked.ts'
import { guardOf } from './endpoints/guard.ts'
import { linkedPorts } from './endpoints/links.ts'
import { SandboxStates } from './endpoints/sandbox-states.ts'
import { openFirewall, openNoFirewall } from './firewall/firewall.ts'
import type { NetworkRules } from './firewall/rules.ts'
import { type AddressRange, builtinPools, uniqueLocalPool } from './ipam/default-pools.ts'
import { hostSubnets } from './ipam/host-subnets.ts'
import { Ipam } from './ipam/ipam.ts'
import { type NetworkRecord, type PredefinedName, predefinedDrivers } from './model.ts'
import { bridgeNameOf, subnetsOf } from './plan-network.ts'
import type { RelayUse } from './ports/plan-ports.ts'
import { families, planPublishing, type PublishingOptions } from './ports/plan-publishing.ts'
import { PublishedPorts } from './ports/published-ports.ts'
import { Relay } from './ports/relay.ts'
import { NetworkRegistry } from './registry.ts'
import { type NetworkStore, openStore } from './store.ts'

export interface NetworksOptions extends DefaultBridgeOptions {
  readonly database: Database
  /** Holds `netns/` and `networks/`. */
  readonly runRoot: string
  readonly logger: Logger
  readonly events: Pick<Events, 'publish'>
  /** What networks without a subnet of their own choose from; default: Docker's, and a unique local range for IPv6. */
  readonly addressPools?: readonly AddressRange[] | undefined
  /** By driver: options that networks have unless they say otherwise. */
  readonly defaultNetworkOptions?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined
  /** Switch on the kernel's forwarding. Default true. */
  readonly ipForward?: boolean | undefined
  /** Keeps sockets over a restart of the engine; default: they end with it. */
  readonly descriptors?: DescriptorStore | undefined
  /** How ports are published, and what of the host's firewall is the engine's. */
  readonly publishing?: PublishingOptions | undefined
  /** TCP ports on which the engine's API serves: no container reaches them. */
  readonly apiPorts?: readonly number[] | undefined
  /** What `host-gateway` stands for; default: the default bridge's addresses. */
  readonly hostGatewayIps?: readonly string[] | undefined
  /** What containers get that have no setting of their own. */
  readonly dns?: readonly string[] | undefined
  readonly dnsOptions?: readonly string[] | undefined
  readonly dnsSearch?: readonly string[] | undefined
}

/** Brings everything back as the database, the run root and the kernel have it. */
export async function openContext(options: NetworksOptions): Promise<Context> {
  const { database, runRoot, logger, events } = options
  const store = openStore(database)
  const states = new SandboxStates(join(runRoot, 'networks'))
  states.load(logger)
  const pinDirectory = join(runRoot, 'netns')
  mkdirSync(pinDirectory, { recursive: true, mode: 0o700 })
  await using stack = new AsyncDisposableStack()
  const records = await loadRecords(store, logger)
  const ipam = new Ipam(poolsFor(options), (besides = '') => {
    const names = [...registry.everything(), ...records].flatMap((record) => bridgeNameOf(record) ?? [])
    return hostSubnets(new Set([options.bridge ?? defaultBridgeName, ...names, besides]))
  })
  const registry = new NetworkRegistry([])
  for (const record of records) ipam.open(record.id, record.pools)
  const predefined = predefinedRecords(options, store, ipam)
  for (const record of [...predefined, ...records]) registry.show(record)
  const bridges = new Map<NetworkId, OpenBridge>()
  const publishing = planPublishing(options.publishing)
  const bridgeContext = { logger, bridges, ipForward: options.ipForward ?? true, ...publishing }
  await openBridges(bridgeContext, registry)
  for (const { networkId, settings } of states.all().flatMap((state) => state.endpoints)) {
    for (const address of [settings.IPAddress, settings.GlobalIPv6Address])
      if (address) ipam.restore(networkId, address)
  }
  const rules = () => rulesOf(registry, bridges)
  const open = publishing.managed.length > 0 ? openFirewall : openNoFirewall
  const firewall = stack.use(
    await open({
      logger,
      networks: rules(),
      apiPorts: options.apiPorts,
      unmanaged: families.filter((family) => !publishing.managed.includes(family)),
      guards: states.all().flatMap((state) => state.endpoints.flatMap((endpoint) => guardOf({ bridges }, endpoint))),
      ports: states.all().flatMap((state) => state.ports),
      links: states.all().flatMap(linkedPorts),
    }),
  )
  const links = stack.use(new RouteSocket())
  const context: Context = {
    ...bridgeContext,
    parents: openParents(registry, logger),
    events,
    store,
    registry,
    states,
    ipam,
    links,
    pinDirectory,
    ports: restorePorts(states, options, publishing.relayUse),
    firewall,
    updateFirewall: () => firewall.setNetworks(rules()),
    dns: { servers: options.dns ?? [], options: options.dnsOptions ?? [], search: options.dnsSearch ?? [] },
    resolvers: stack.use(openDns({ logger, store: options.descriptors ?? noDescriptors })),
    locks: new KeyedLock(),
    hostGateways: options.hostGatewayIps ?? gatewaysOf(predefined),
    defaultOptions: options.defaultNetworkOptions ?? {},
  }
  restoreNames(context)
  stack.move()
  return context
}

/** The networks of users, without those that a killed engine was making or removing: their bridges go too. */
async function loadRecords(store: NetworkStore, logger: Logger): Promise<NetworkRecord[]> {
  const { whole, halfMade } = store.load()
  for (const record of halfMade) {
    const bridge = bridgeNameOf(record)
    try {
      if (bridge !== undefined && !record.keepsBridge) await deleteBridges([bridge])
      store.remove(record.id)
    } catch (error) {
      logger.warn(
        { network: record.name, error: messageOf(error) },
        'a network that was half made cannot be taken away',
      )
    }
  }
  return whole
}

function poolsFor({ addressPools = [] }: NetworksOptions): AddressRange[] {
  const has = (family: 4 | 6) => addressPools.some(({ base }) => base.family === family)
  return [...addressPools, ...(has(4) ? [] : builtinPools()), ...(has(6) ? [] : [uniqueLocalPool(machineId())])]
}

function machineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim()
  } catch {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  }
}

/** What `--bridge none` leaves out is the default bridge. */
function predefinedRecords(options: NetworksOptions, store: NetworkStore, ipam: Ipam): NetworkRecord[] {
  const bare = (['host', 'none'] as const).map((name) => bareRecord(name, store))
  if (options.bridge === 'none') return bare
  const name = options.bridge ?? defaultBridgeName
  const present = linkAddresses(name)
  const bridge = buildDefaultBridge(options, { predefined: store.predefined('bridge'), present, ipam })
  ipam.requireFree(subnetsOf(bridge), name)
  ipam.open(bridge.id, bridge.pools)
  const subnet = bridge.pools[0]?.subnet
  if (subnet !== undefined && subnet !== store.predefined('bridge').subnet) store.setSubnet('bridge', subnet)
  // A bridge that the user names and made is the user's.
  return [{ ...bridge, keepsBridge: options.bridge !== undefined && present.length > 0 }, ...bare]
}

function bareRecord(name: PredefinedName, store: NetworkStore): NetworkRecord {
  const { id, created } = store.predefined(name)
  return {
    id,
    name,
    driver: predefinedDrivers[name],
    created,
    scope: 'local',
    enableIPv4: true,
    enableIPv6: false,
    internal: false,
    attachable: false,
    configOnly: false,
    configFrom: '',
    ipam: { driver: 'default', options: null, config: null },
    options: {},
    labels: {},
    pools: [],
  }
}

/** Without the default bridge there is no engine; without another, that one network does not work. */
async function openBridges(context: BridgeContext, registry: NetworkRegistry): Promise<void> {
  for (const record of registry.all().filter((one) => bridgeNameOf(one) !== undefined)) {
    try {
      await openBridge(context, record)
    } catch (error) {
      if (record.name === 'bridge') throw error
      context.logger.error({ network: record.name, error: messageOf(error) }, 'the bridge of a network cannot be made')
    }
  }
}

function openParents(registry: NetworkRegistry, logger: Logger): Context['parents'] {
  const parents: Context['parents'] = new Map()
  for (const record of registry.all().filter(isStacked)) {
    try {
      parents.set(record.id, findParent(record))
    } catch (error) {
      logger.error({ network: record.name, error: messageOf(error) }, 'the parent of a network is not usable')
    }
  }
  return parents
}

function rulesOf(registry: NetworkRegistry, bridges: Context['bridges']): NetworkRules[] {
  return registry.everything().flatMap((record) => {
    const bridge = bridges.get(record.id)
    return bridge ? [networkRules(record, bridge)] : []
  })
}

function restoreNames(context: Context): void {
  for (const state of context.states.all()) {
    try {
      serveNames(context, state)
    } catch (error) {
      context.logger.error({ container: state.containerId, error: messageOf(error) }, 'a container is without DNS')
    }
  }
}

const gatewaysOf = (predefined: readonly NetworkRecord[]): string[] =>
  predefined.flatMap(({ pools }) => pools.flatMap(({ gateway }) => gateway ?? []))

function restorePorts(
  states: SandboxStates,
  { logger, descriptors }: NetworksOptions,
  relayUse: RelayUse,
): PublishedPorts {
  const store = descriptors ?? noDescriptors
  const relay = new Relay({ store, report: logger.warn.bind(logger) })
  const ports = new PublishedPorts({ logger, store, relay, relayUse })
  for (const state of states.all()) ports.restore(state.ports)
  return ports
}
