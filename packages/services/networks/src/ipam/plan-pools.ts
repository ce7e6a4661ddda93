import { invalid } from '@berth/base'
import type { IpamConfig } from '@berth/engine-api'
import type { Pool } from '../model.ts'
import {
  contains,
  containsSubnet,
  type Family,
  familyOf,
  formatSubnet,
  isAddress,
  overlaps,
  parseCidr,
  parseSubnet,
  type Subnet,
  toNumber,
  toText,
} from './subnet.ts'

/** Checks what was asked of a network's addresses. Throws `invalid` with everything that is wrong, in Docker's words. */
export function checkIpamConfigs(configs: readonly IpamConfig[]): void {
  const complaints = configs.flatMap(complaintsOf)
  if (complaints.length === 0) return
  const list = complaints.length === 1 ? complaints[0] : complaints.map((complaint) => `* ${complaint}`).join('\n')
  throw invalid(`invalid network config:\n${list}`)
}

// Loopback, "this network" and multicast: no container could be reached there.
const reserved = ['0.0.0.0/8', '127.0.0.0/8', '224.0.0.0/4', '::1/128', 'ff00::/8'].map(parseSubnet)

function complaintsOf(config: IpamConfig): string[] {
  const text = config.Subnet ?? ''
  const parsed = parseCidr(text)
  if (!parsed) return [`invalid subnet ${text}: invalid CIDR block notation`]
  const { subnet, address } = parsed
  const own = address === subnet.base ? [] : [`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`]
  const special = reserved.find((other) => overlaps(other, subnet))
  if (special) own.push(`invalid subnet ${text}: it overlaps ${formatSubnet(special)}, which no network can have`)
  const gateway = config.Gateway ? addressComplaints(`gateway ${config.Gateway}`, config.Gateway, subnet, text) : []
  const auxiliary = Object.entries(config.AuxiliaryAddresses ?? {}).flatMap(([name, value]) =>
    addressComplaints(`auxiliary address ${name}`, value, subnet, text),
  )
  return [...own, ...rangeComplaints(config.IPRange, subnet, text), ...gateway, ...auxiliary]
}

function rangeComplaints(range: string | undefined, subnet: Subnet, text: string): string[] {
  if (!range) return []
  const parsed = parseCidr(range)
  if (!parsed) return [`invalid ip-range ${range}: invalid CIDR block notation`]
  if (parsed.subnet.family !== subnet.family) {
    return [`invalid ip-range ${range}: parent subnet is an IPv${subnet.family} block`]
  }
  const complaints: string[] = []
  if (parsed.subnet.prefixLength < subnet.prefixLength) {
    complaints.push(`invalid ip-range ${range}: CIDR block is bigger than its parent subnet ${text}`)
  }
  if (parsed.address !== parsed.subnet.base) {
    complaints.push(`invalid ip-range ${range}: it should be ${formatSubnet(parsed.subnet)}`)
  }
  if (!contains(subnet, parsed.address)) {
    complaints.push(`invalid ip-range ${range}: parent subnet ${text} doesn't contain ip-range`)
  }
  return complaints
}

function addressComplaints(what: string, address: string, subnet: Subnet, text: string): string[] {
  if (!isAddress(address)) return [`invalid ${what}: invalid address`]
  if (familyOf(address) !== subnet.family) return [`invalid ${what}: parent subnet is an IPv${subnet.family} block`]
  if (contains(subnet, toNumber(address))) return []
  return [`invalid ${what}: parent subnet ${text} doesn't contain this address`]
}

/** The pool that a checked configuration stands for; its gateway is the first address of the range unless it was named. */
export function buildPool(config: IpamConfig): Pool {
  const subnet = parseSubnet(config.Subnet ?? '')
  const range = config.IPRange ? parseSubnet(config.IPRange) : undefined
  if (range && !containsSubnet(subnet, range)) throw new Error(`${config.IPRange} is not in ${config.Subnet}`)
  const auxiliary = Object.entries(config.AuxiliaryAddresses ?? {}).map(([name, text]) => [name, canonical(text)])
  return {
    subnet: formatSubnet(subnet),
    ...(range ? { range: formatSubnet(range) } : {}),
    ...gatewayOf(config, range ?? subnet),
    auxiliary: Object.fromEntries(auxiliary) as Record<string, string>,
  }
}

const canonical = (address: string): string => toText(toNumber(address), familyOf(address))

function gatewayOf(config: IpamConfig, range: Subnet): { gateway?: string } {
  if (config.Gateway) return { gateway: canonical(config.Gateway) }
  const isOwn = range.base === parseSubnet(config.Subnet ?? '').base && !isPointToPoint(range)
  return { gateway: toText(isOwn ? range.base + 1n : range.base, range.family) }
}

const isPointToPoint = ({ family, prefixLength }: Subnet): boolean => prefixLength >= (family === 4 ? 31 : 127)

/** A subnet that the engine chose, as it is shown and as it is served. */
export function chosenConfig(subnet: Subnet): IpamConfig {
  return { Subnet: formatSubnet(subnet), Gateway: toText(subnet.base + 1n, subnet.family) }
}

export const poolsOf = (pools: readonly Pool[], family: Family): Pool[] =>
  pools.filter(({ subnet }) => parseSubnet(subnet).family === family)
