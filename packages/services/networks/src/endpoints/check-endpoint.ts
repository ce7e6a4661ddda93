import { forbidden, invalid } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { parseMac } from '@berth/linux'
import { contains, type Family, familyOf, isAddress, parseSubnet, toNumber } from '../ipam/subnet.ts'
import { poolsOf } from '../ipam/plan-pools.ts'
import { isPredefined, type NetworkRecord } from '../model.ts'
import { parseEndpointOptions } from './endpoint-options.ts'

type Settings = Pick<EndpointSettings, 'IPAMConfig' | 'Aliases' | 'MacAddress' | 'DriverOpts'>

/** Throws `invalid`, in Docker's words, with everything that is wrong with what is asked of a network's endpoint. */
export function checkEndpoint(record: NetworkRecord, settings: Settings): void {
  const complaints = [...predefinedComplaints(record, settings), ...addressComplaints(record, settings)]
  if (settings.MacAddress && !isMac(settings.MacAddress)) complaints.push(`invalid MAC address ${settings.MacAddress}`)
  if (settings.MacAddress && record.driver === 'ipvlan') {
    complaints.push('ipvlan interfaces do not support custom mac address assignment')
  }
  complaints.push(...parseEndpointOptions(settings.DriverOpts ?? {}).complaints)
  refuse(complaints)
  if (record.configOnly) throw forbidden('cannot create endpoint on configuration-only network')
}

/** The same for a network that is not there yet: what can be wrong without it. */
export function checkAddressForms({ IPAMConfig }: Settings): void {
  refuse(formComplaints(IPAMConfig))
}

function refuse(complaints: readonly string[]): void {
  if (complaints.length === 0) return
  const list = complaints.length === 1 ? complaints[0] : complaints.map((complaint) => `* ${complaint}`).join('\n')
  throw invalid(`invalid endpoint settings:\n${list}`)
}

function predefinedComplaints({ name }: NetworkRecord, { IPAMConfig, Aliases }: Settings): string[] {
  if (!isPredefined(name)) return []
  return [
    ...(IPAMConfig?.IPv4Address || IPAMConfig?.IPv6Address
      ? ['user specified IP address is supported on user defined networks only']
      : []),
    ...(Aliases && Aliases.length > 0
      ? ['network-scoped alias is supported only for containers in user defined networks']
      : []),
  ]
}

function addressComplaints(record: NetworkRecord, { IPAMConfig }: Settings): string[] {
  if (!IPAMConfig) return []
  const { IPv4Address: v4 = '', IPv6Address: v6 = '' } = IPAMConfig
  return [...formComplaints(IPAMConfig), ...rangeComplaints(record, 4, v4), ...rangeComplaints(record, 6, v6)]
}

function formComplaints(asked: Settings['IPAMConfig']): string[] {
  const { IPv4Address: v4 = '', IPv6Address: v6 = '', LinkLocalIPs } = asked ?? {}
  return [
    ...(v4 !== '' && !isHost(v4, 4) ? [`invalid IPv4 address: ${v4}`] : []),
    ...(v6 !== '' && !isHost(v6, 6) ? [`invalid IPv6 address: ${v6}`] : []),
    ...(LinkLocalIPs ?? [])
      .filter((text) => !isLinkLocal(text))
      .map((text) => `invalid link-local IP address: ${text}`),
  ]
}

/** Not the unspecified one. */
const isHost = (text: string, family: Family): boolean => isOf(text, family) && toNumber(text) !== 0n

const isOf = (text: string, family: Family): boolean => isAddress(text) && familyOf(text) === family

const linkLocalRanges = ['169.254.0.0/16', 'fe80::/10'].map(parseSubnet)
const isLinkLocal = (text: string): boolean =>
  isAddress(text) && linkLocalRanges.some((range) => range.family === familyOf(text) && contains(range, toNumber(text)))

function rangeComplaints({ pools }: NetworkRecord, family: Family, address: string): string[] {
  if (address === '') return []
  const configured = poolsOf(pools, family).filter(({ isChosen }) => !isChosen)
  if (configured.length === 0) {
    return ['user specified IP address is supported only when connecting to networks with user configured subnets']
  }
  const isWithin =
    isOf(address, family) && configured.some(({ subnet }) => contains(parseSubnet(subnet), toNumber(address)))
  return isWithin ? [] : [`no configured subnet or ip-range contain the IP address ${address}`]
}

function isMac(text: string): boolean {
  try {
    return parseMac(text).length === 6
  } catch {
    return false
  }
}
