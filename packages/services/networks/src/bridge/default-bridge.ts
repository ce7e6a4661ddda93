import { invalid, unavailable } from '@berth/base'
import type { IpamConfig } from '@berth/engine-api'
import type { Ipam } from '../ipam/ipam.ts'
import {
  contains,
  containsSubnet,
  type Family,
  formatSubnet,
  overlaps,
  parseCidr,
  parseSubnet,
  type Subnet,
  toNumber,
  toText,
} from '../ipam/subnet.ts'
import { buildPool, chosenConfig } from '../ipam/plan-pools.ts'
import type { NetworkRecord, Pool } from '../model.ts'
import type { Predefined } from '../store.ts'
import { type BridgeAddress, addressesOf } from './bridge.ts'
import { bridgeOption } from './bridge-options.ts'

/** What the configuration says of the default bridge. Absent is Docker's default. */
export interface DefaultBridgeOptions {
  /** Name of the bridge; default berth0. */
  readonly bridge?: string | undefined
  /** The bridge's addresses in CIDR form; default: free subnets of the pools. */
  readonly bip?: string | undefined
  readonly bip6?: string | undefined
  /** The part of its subnets that addresses are chosen from. */
  readonly fixedCidr?: string | undefined
  readonly fixedCidrV6?: string | undefined
  /** Where containers send what is not for their own network; default: the bridge. */
  readonly defaultGateway?: string | undefined
  readonly defaultGatewayV6?: string | undefined
  readonly ipv6?: boolean | undefined
  readonly mtu?: number | undefined
  readonly icc?: boolean | undefined
  readonly ipMasquerade?: boolean | undefined
  /** Where ports without an address are published. */
  readonly bindingIp?: string | undefined
}

/** The name of an auxiliary address that stands for the way out, as Docker names it. */
export const gatewayLabel = { 4: 'DefaultGatewayIPv4', 6: 'DefaultGatewayIPv6' } as const

export const defaultBridgeName = 'berth0'

interface Findings {
  readonly predefined: Predefined
  /** What the bridge has in the kernel already: it keeps that unless told otherwise. */
  readonly present: readonly BridgeAddress[]
  readonly ipam: Ipam
}

/** The default bridge's record, as the configuration and the kernel have it. Throws `invalid` for what cannot hold. */
export function buildDefaultBridge(options: DefaultBridgeOptions, findings: Findings): NetworkRecord {
  const { id, created } = findings.predefined
  const v4 = familyConfig(4, options, findings)
  const v6 = options.ipv6 ? [familyConfig(6, options, findings)] : []
  const config = [v4, ...v6]
  return {
    id,
    name: 'bridge',
    driver: 'bridge',
    created,
    scope: 'local',
    enableIPv4: true,
    enableIPv6: options.ipv6 ?? false,
    internal: false,
    attachable: false,
    configOnly: false,
    configFrom: '',
    ipam: { driver: 'default', options: null, config },
    options: {
      [bridgeOption.isDefault]: 'true',
      [bridgeOption.icc]: String(options.icc ?? true),
      [bridgeOption.masquerade]: String(options.ipMasquerade ?? true),
      [bridgeOption.hostBinding]: options.bindingIp ?? '0.0.0.0',
      [bridgeOption.name]: options.bridge ?? defaultBridgeName,
      [bridgeOption.mtu]: String(options.mtu ?? 1500),
    },
    labels: {},
    pools: config.map((one): Pool => ({ ...buildPool(one), isChosen: true })),
  }
}

function familyConfig(family: Family, options: DefaultBridgeOptions, findings: Findings): IpamConfig {
  const [bip, fixed, gateway] =
    family === 4
      ? [options.bip, options.fixedCidr, options.defaultGateway]
      : [options.bip6, options.fixedCidrV6, options.defaultGatewayV6]
  const range = fixed === undefined ? undefined : parseRange(fixed, family)
  const own = bip === undefined ? ownConfig(family, findings, range) : parseBip(bip, family)
  const subnet = parseSubnet(own.Subnet ?? '')
  if (range && !containsSubnet(subnet, range)) {
    throw invalid(`the fixed range ${fixed} is not within the bridge's subnet ${own.Subnet}`)
  }
  return {
    ...own,
    ...(range ? { IPRange: formatSubnet(range) } : {}),
    ...(gateway === undefined ? {} : { AuxiliaryAddresses: { [gatewayLabel[family]]: checkGateway(gateway, subnet) } }),
  }
}

/** What it has in the kernel, what it had before, or a free one. */
function ownConfig(family: Family, { predefined, present, ipam }: Findings, range: Subnet | undefined): IpamConfig {
  const [kept] = addressesOf(present, family)
  if (kept) return addressConfig(`${kept.address}/${kept.prefixLength}`)
  // Docker makes the fixed range the subnet where the bridge has none.
  if (range) return chosenConfig(range)
  const before = family === 4 && predefined.subnet !== undefined ? parseSubnet(predefined.subnet) : undefined
  if (before && isFree(ipam, before)) return chosenConfig(before)
  try {
    return chosenConfig(ipam.choose(family))
  } catch (error) {
    throw unavailable('all predefined address pools overlap with the host: give the bridge an address (--bip)', error)
  }
}

function isFree(ipam: Ipam, subnet: Subnet): boolean {
  try {
    ipam.requireFree([subnet])
    return true
  } catch {
    return false
  }
}

function addressConfig(cidr: string): IpamConfig {
  const parsed = parseCidr(cidr)
  if (!parsed) throw new Error(`not an address with its prefix: ${cidr}`)
  return { Subnet: formatSubnet(parsed.subnet), Gateway: toText(parsed.address, parsed.subnet.family) }
}

function parseBip(bip: string, family: Family): IpamConfig {
  const parsed = parseCidr(bip)
  if (parsed?.subnet.family !== family) throw invalid(`invalid CIDR address: ${bip}`)
  const { address, subnet } = parsed
  const isUsable = address !== subnet.base && contains(subnet, address + 1n)
  if (!isUsable || overlaps(subnet, parseSubnet(family === 4 ? '127.0.0.0/8' : '::1/128'))) {
    throw invalid(`invalid bridge address ${bip}: want the address of a host, not of the network`)
  }
  return addressConfig(bip)
}

function parseRange(text: string, family: Family): Subnet {
  const subnet = parseCidr(text)?.subnet
  if (subnet?.family !== family) throw invalid(`invalid CIDR address: ${text}`)
  return subnet
}

function checkGateway(gateway: string, subnet: Subnet): string {
  const parsed = parseCidr(`${gateway}/${subnet.family === 4 ? 32 : 128}`)
  if (parsed?.subnet.family !== subnet.family || !contains(subnet, toNumber(gateway))) {
    throw invalid(`the default gateway ${gateway} is not within the bridge's subnet ${formatSubnet(subnet)}`)
  }
  return toText(toNumber(gateway), subnet.family)
}
