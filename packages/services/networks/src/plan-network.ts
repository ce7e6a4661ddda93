import { conflict, forbidden, invalid, newNetworkId, notFound, notImplemented, nowText } from '@berth/base'
import type { IpamConfig, NetworkCreateRequest } from '@berth/engine-api'
import { bridgeOption, type BridgeSettings, parseBridgeOptions, parseFlag } from './bridge/bridge-options.ts'
import { type Family, parseSubnet, type Subnet } from './ipam/subnet.ts'
import { buildPool, checkIpamConfigs, chosenConfig } from './ipam/plan-pools.ts'
import { isPredefined, type NetworkRecord, type Pool } from './model.ts'

/** What a plan reads of the engine. */
export interface NetworkPlanContext {
  readonly networks: readonly NetworkRecord[]
  /** Options that networks of a driver get unless they say otherwise (--default-network-opt). */
  readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** A free subnet for a network that names none, besides those given. */
  choose(family: Family, besides: readonly Subnet[]): Subnet
}

const enableIPv4Option = 'com.docker.network.enable_ipv4'
const enableIPv6Option = 'com.docker.network.enable_ipv6'

/** Decides what a new network is. Nothing is taken. Throws in Docker's words. */
export function planNetwork(asked: NetworkCreateRequest, context: NetworkPlanContext): NetworkRecord {
  checkName(asked)
  checkKind(asked)
  checkIpamConfigs(asked.IPAM?.Config ?? [])
  requireFreeName(asked, context.networks)
  const request = withTemplate(asked, context.networks)
  const driver = asked.ConfigOnly ? 'null' : asked.Driver || 'bridge'
  const options = { ...context.defaultOptions[driver], ...request.Options }
  const families = chooseFamilies(request, options)
  const asksFor = request.IPAM?.Config ?? []
  if (!asked.ConfigOnly) checkDriver(asked)
  checkIpamDriver(request)
  const base = {
    id: newNetworkId(),
    name: asked.Name,
    driver,
    created: nowText(),
    scope: asked.Scope || 'local',
    ...families,
    internal: request.Internal,
    attachable: request.Attachable,
    configOnly: asked.ConfigOnly,
    configFrom: asked.ConfigFrom?.Network ?? '',
    options,
    labels: request.Labels,
  }
  const ipam = { driver: request.IPAM?.Driver || 'default', options: request.IPAM?.Options ?? null }
  if (asked.ConfigOnly) return { ...base, ipam: { ...ipam, config: asksFor.length > 0 ? asksFor : null }, pools: [] }
  if (driver === 'bridge') requireFreeBridge(base, parseBridgeOptions(options, base.internal), context.networks)
  const chosen = chooseConfigs(asksFor, families, context)
  const pools = [
    ...servedConfigs(asksFor, families, driver).map(buildPool),
    ...chosen.map((config): Pool => ({ ...buildPool(config), isChosen: true })),
  ]
  return { ...base, ipam: { ...ipam, config: [...asksFor, ...chosen] }, pools }
}

function checkName({ Name }: NetworkCreateRequest): void {
  if (Name.trim() === '') throw invalid('invalid name: name is empty')
  if (isPredefined(Name) || Name === 'default') {
    throw forbidden(`operation is not permitted on predefined ${Name} network `)
  }
  // A control character would break tables and the hosts' resolvers alike.
  if (/\p{Cc}/u.test(Name)) throw invalid(`invalid name: ${JSON.stringify(Name)} has control characters`)
}

function requireFreeName({ Name }: NetworkCreateRequest, networks: readonly NetworkRecord[]): void {
  if (networks.some(({ name }) => name === Name)) throw conflict(`network with name ${Name} already exists`)
}

function checkKind({ Scope, Ingress, ConfigOnly, ConfigFrom, Internal, Attachable }: NetworkCreateRequest): void {
  if (ConfigOnly && (Ingress || Internal || Attachable || Scope !== '')) {
    throw forbidden(
      'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
    )
  }
  if (Ingress) throw forbidden('Ingress network can only be global scope network')
  if (Scope === 'swarm') throw forbidden('cannot create a swarm scoped network when swarm is not active')
  if (Scope !== '' && Scope !== 'local')
    throw invalid(`invalid scope ${JSON.stringify(Scope)}: only local networks are there`)
  if (ConfigOnly && ConfigFrom?.Network) {
    throw forbidden('a configuration network cannot depend on another configuration network')
  }
}

function checkDriver({ Driver }: NetworkCreateRequest): void {
  switch (Driver) {
    case '':
    case 'bridge':
    case 'macvlan':
    case 'ipvlan':
      return
    case 'host':
    case 'null':
      throw forbidden(`only one instance of "${Driver}" network is allowed`)
    case 'overlay':
      throw forbidden(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      )
    default:
      throw notFound(`plugin "${Driver}" not found`)
  }
}

function checkIpamDriver({ IPAM }: NetworkCreateRequest): void {
  const driver = IPAM?.Driver ?? ''
  if (driver === 'null') throw invalid('ipv4 pool is empty')
  if (driver !== '' && driver !== 'default') throw notFound(`plugin "${driver}" not found`)
  const options = Object.keys(IPAM?.Options ?? {})
  // The built-in driver knows none, and shows those that were given.
  if (options.some((name) => name.startsWith('com.docker.network'))) {
    throw notImplemented(`IPAM options are not supported: ${options.join(', ')}`)
  }
}

/** What comes from a template (`--config-from`): all but name, driver and what only a template has. */
function withTemplate(request: NetworkCreateRequest, networks: readonly NetworkRecord[]): NetworkCreateRequest {
  const name = request.ConfigFrom?.Network
  if (!name) return request
  const template = networks.find((network) => network.name === name) ?? networks.find(({ id }) => id === name)
  if (!template) throw notFound(`configuration network "${name}" does not exist`)
  if (!template.configOnly) throw forbidden(`network "${name}" is not a configuration network`)
  if (hasConfiguration(request)) {
    throw forbidden('user specified configurations are not supported if the network depends on a configuration network')
  }
  return {
    ...request,
    EnableIPv4: template.enableIPv4,
    EnableIPv6: template.enableIPv6,
    IPAM: {
      Driver: template.ipam.driver,
      Options: template.ipam.options && { ...template.ipam.options },
      Config: template.ipam.config && [...template.ipam.config],
    },
    Options: { ...template.options },
    Labels: { ...template.labels, ...request.Labels },
  }
}

function hasConfiguration({ IPAM, Options, EnableIPv6, Labels }: NetworkCreateRequest): boolean {
  return (
    [IPAM?.Config ?? [], Object.keys(Options), Object.keys(Labels)].some((list) => list.length > 0) ||
    EnableIPv6 === true
  )
}

type Families = Pick<NetworkRecord, 'enableIPv4' | 'enableIPv6'>

function chooseFamilies({ EnableIPv4, EnableIPv6 }: NetworkCreateRequest, options: NetworkRecord['options']): Families {
  const enableIPv4 = EnableIPv4 ?? parseFlag(options, enableIPv4Option, true)
  const enableIPv6 = EnableIPv6 ?? parseFlag(options, enableIPv6Option, false)
  if (!enableIPv4 && !enableIPv6) throw invalid('IPv4 or IPv6 must be enabled')
  return { enableIPv4, enableIPv6 }
}

function requireFreeBridge(
  { id }: Pick<NetworkRecord, 'id'>,
  { name }: BridgeSettings,
  networks: readonly NetworkRecord[],
): void {
  const bridge = name || defaultBridgeName(id)
  const other = networks.find((network) => bridgeNameOf(network) === bridge)
  if (!other) return
  throw forbidden(
    `cannot create network ${id} (${bridge}): conflicts with network ${other.id} (${bridge}): networks have same bridge name`,
  )
}

const defaultBridgeName = (id: string): string => `br-${id.slice(0, 12)}`

/** The name of a network's bridge in the kernel; undefined for other drivers. */
export function bridgeNameOf({ id, driver, configOnly, options }: NetworkRecord): string | undefined {
  if (driver !== 'bridge' || configOnly) return undefined
  return options[bridgeOption.name] || defaultBridgeName(id)
}

const familyOfConfig = ({ Subnet = '' }: IpamConfig): Family => parseSubnet(Subnet).family

/** A subnet for each family that is enabled and has none. */
function chooseConfigs(
  asked: readonly IpamConfig[],
  { enableIPv4, enableIPv6 }: Families,
  context: NetworkPlanContext,
): IpamConfig[] {
  const besides = asked.map(({ Subnet = '' }) => parseSubnet(Subnet))
  const missing = (family: Family) => !asked.some((config) => familyOfConfig(config) === family)
  const families: Family[] = [
    ...(enableIPv4 && missing(4) ? [4 as const] : []),
    ...(enableIPv6 && missing(6) ? [6 as const] : []),
  ]
  return families.map((family) => chosenConfig(context.choose(family, besides)))
}

/** Those of an enabled family. The bridge has one subnet of each. */
function servedConfigs(configs: readonly IpamConfig[], families: Families, driver: string): IpamConfig[] {
  const served = configs.filter((config) => (familyOfConfig(config) === 4 ? families.enableIPv4 : families.enableIPv6))
  for (const family of [4, 6] as const) {
    const own = served.filter((config) => familyOfConfig(config) === family)
    if (driver === 'bridge' && own.length > 1) throw forbidden("bridge driver doesn't support multiple subnets")
  }
  return served
}

/** The subnets of a record, for a look at what they overlap. */
export const subnetsOf = ({ pools }: Pick<NetworkRecord, 'pools'>): Subnet[] =>
  pools.map(({ subnet }) => parseSubnet(subnet))
