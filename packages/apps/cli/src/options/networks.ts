import { splitCsv } from '@berth/base'
import { isIP } from 'node:net'
import type { EndpointSettings } from '@berth/engine-api'
import { splitPair } from './key-values.ts'

/** What one `--network` asks for. */
export interface NetworkRequest {
  readonly target: string
  readonly aliases: readonly string[]
  readonly links: readonly string[]
  readonly driverOptions: Readonly<Record<string, string>>
  readonly ipv4: string
  readonly ipv6: string
  readonly linkLocal: readonly string[]
  readonly macAddress: string
  readonly gatewayPriority: number
}

const plain = {
  aliases: [],
  links: [],
  driverOptions: {},
  ipv4: '',
  ipv6: '',
  linkLocal: [],
  macAddress: '',
  gatewayPriority: 0,
}

/** A network's name, or `name=x,alias=y,ip=...`. */
export function parseNetwork(text: string): NetworkRequest {
  if (!/\w+=\w+/.test(text)) return { ...plain, target: text }
  let request: NetworkRequest = { ...plain, target: '' }
  for (const field of splitCsv(text)) {
    const [key, value] = splitPair(field)
    if (!field.includes('=') || key === '') throw new Error(`invalid field ${field}`)
    request = { ...request, ...networkField(request, key.trim().toLowerCase(), value.trim()) }
  }
  if (request.target === '') throw new Error('network name/id is not specified')
  return request
}

function networkField(request: NetworkRequest, key: string, value: string): Partial<NetworkRequest> {
  switch (key) {
    case 'name':
      return { target: value }
    case 'alias':
      return { aliases: [...request.aliases, value] }
    case 'ip':
      return { ipv4: value }
    case 'ip6':
      return { ipv6: value }
    case 'mac-address':
      return { macAddress: value }
    case 'link-local-ip':
      return { linkLocal: [...request.linkLocal, value] }
    case 'driver-opt':
      return { driverOptions: { ...request.driverOptions, ...driverOption(value) } }
    case 'gw-priority':
      if (!/^-?\d+$/.test(value)) throw new Error(`invalid gw-priority (${value}): invalid syntax`)
      return { gatewayPriority: Number(value) }
    default:
      throw new Error(`invalid field key ${key}`)
  }
}

function driverOption(text: string): Record<string, string> {
  const [key, value] = splitPair(text)
  if (!text.includes('=') || key === '') throw new Error('invalid key value pair format in driver options')
  return { [key.trim().toLowerCase()]: value.trim() }
}

/** The flags beside `--network` that speak of the first network. */
export interface FirstNetworkFlags {
  readonly networkAlias: readonly string[]
  readonly link: readonly string[]
  readonly ip: string
  readonly ip6: string
  readonly linkLocalIp: readonly string[]
  readonly macAddress: string
}

/** The endpoints of a create by network. Throws an Error in docker's words. */
export function planEndpoints(
  requests: readonly NetworkRequest[],
  first: FirstNetworkFlags,
): Record<string, Partial<EndpointSettings>> {
  if (requests.length === 0) {
    return { default: buildEndpoint(applyFirst({ ...plain, target: 'default' }, first)) }
  }
  const endpoints: Record<string, Partial<EndpointSettings>> = {}
  requests.forEach((request, index) => {
    const full = index === 0 ? applyFirst(request, first) : request
    if (Object.hasOwn(endpoints, full.target)) throw new Error(`network "${full.target}" is specified multiple times`)
    const endpoint = buildEndpoint(full)
    if (requests.length > 1 || !isBare(endpoint)) endpoints[full.target] = endpoint
  })
  const kinds = new Set(requests.map(({ target }) => isUserDefined(target)))
  if (kinds.size > 1) {
    throw new Error('conflicting options: cannot attach both user-defined and non-user-defined network-modes')
  }
  return endpoints
}

/** Nothing is asked of the endpoint: the engine makes it by itself. */
function isBare({
  IPAMConfig,
  Links,
  Aliases,
  MacAddress,
  DriverOpts,
  GwPriority,
}: Partial<EndpointSettings>): boolean {
  return (
    IPAMConfig === null &&
    Links === null &&
    Aliases === null &&
    DriverOpts === null &&
    MacAddress === '' &&
    GwPriority === 0
  )
}

function isUserDefined(target: string): boolean {
  return !['default', 'bridge', 'host', 'none'].includes(target) && !target.startsWith('container:')
}

function applyFirst(request: NetworkRequest, flags: FirstNetworkFlags): NetworkRequest {
  const conflict = (what: string): never => {
    throw new Error(`conflicting options: cannot specify both ${what}`)
  }
  if (request.aliases.length > 0 && flags.networkAlias.length > 0) conflict('--network-alias and per-network alias')
  if (request.links.length > 0 && flags.link.length > 0) conflict('--link and per-network links')
  if (request.ipv4 !== '' && flags.ip !== '') conflict('--ip and per-network IPv4 address')
  if (request.ipv6 !== '' && flags.ip6 !== '') conflict('--ip6 and per-network IPv6 address')
  if (request.macAddress !== '' && flags.macAddress !== '') conflict('--mac-address and per-network MAC address')
  if (request.linkLocal.length > 0 && flags.linkLocalIp.length > 0) {
    conflict('--link-local-ip and per-network link-local IP addresses')
  }
  return {
    target: request.target,
    aliases: flags.networkAlias.length > 0 ? flags.networkAlias : request.aliases,
    // On the default bridge a link is an option of the container.
    links: isUserDefined(request.target) && flags.link.length > 0 ? flags.link : request.links,
    driverOptions: request.driverOptions,
    ipv4: flags.ip === '' ? request.ipv4 : flags.ip,
    ipv6: flags.ip6 === '' ? request.ipv6 : flags.ip6,
    linkLocal: flags.linkLocalIp.length > 0 ? flags.linkLocalIp : request.linkLocal,
    macAddress: flags.macAddress === '' ? request.macAddress : flags.macAddress,
    gatewayPriority: request.gatewayPriority,
  }
}

function buildEndpoint(request: NetworkRequest): Partial<EndpointSettings> {
  if (request.target.trim() === '') throw new Error('no name set for network')
  if (!isUserDefined(request.target) && request.aliases.length > 0) {
    throw new Error('network-scoped aliases are only supported for user-defined networks')
  }
  if (!isUserDefined(request.target) && request.links.length > 0) {
    throw new Error('links are only supported for user-defined networks')
  }
  const hasOptions = Object.keys(request.driverOptions).length > 0
  return {
    IPAMConfig: buildIpam(request),
    Links: request.links.length > 0 ? [...request.links] : null,
    Aliases: request.aliases.length > 0 ? [...request.aliases] : null,
    MacAddress: request.macAddress === '' ? '' : checkMacAddress(request.macAddress),
    DriverOpts: hasOptions ? { ...request.driverOptions } : null,
    GwPriority: request.gatewayPriority,
  }
}

function buildIpam({ ipv4, ipv6, linkLocal }: NetworkRequest): EndpointSettings['IPAMConfig'] {
  if (ipv4 === '' && ipv6 === '' && linkLocal.length === 0) return null
  return {
    ...(ipv4 === '' ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === '' ? {} : { IPv6Address: ipv6 }),
    ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: [...linkLocal] }),
  }
}

export function checkIpAddress(text: string): string {
  const address = text.trim()
  if (isIP(address) === 0) throw new Error(`IP address is not correctly formatted: ${text}`)
  return address
}

export function checkMacAddress(text: string): string {
  const address = text.trim()
  const forms = /^([0-9a-fA-F]{2}[:-]){5}([0-9a-fA-F]{2})$|^([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}$/
  if (!forms.test(address)) throw new Error(`${text} is not a valid mac address`)
  return address
}

/** `.` clears the search list. */
export function checkDomain(text: string): string {
  const domain = text.trim()
  const label = /^[a-zA-Z0-9_]([a-zA-Z0-9_-]*[a-zA-Z0-9_])?$/
  if (
    domain === '.' ||
    (domain.length <= 255 &&
      domain
        .replace(/\.$/, '')
        .split('.')
        .every((part) => label.test(part)))
  ) {
    return domain
  }
  throw new Error(`${text} is not a valid domain`)
}

/** `name:address` or `name=address`; the address may be `host-gateway`. */
export function checkExtraHost(text: string): string {
  const mark = text.includes('=') ? '=' : ':'
  const at = text.indexOf(mark)
  const [name, rest] = [text.slice(0, at), text.slice(at + 1)]
  if (at < 1) throw new Error(`bad format for add-host: ${JSON.stringify(text)}`)
  const address = /^\[(.*)\]$/.exec(rest)?.[1] ?? rest
  if (address !== 'host-gateway' && isIP(address) === 0) {
    throw new Error(`invalid IP address in add-host: ${JSON.stringify(rest)}`)
  }
  return `${name}:${address}`
}

export function checkLink(text: string): string {
  const parts = text.split(':')
  if (text === '') throw new Error('empty string specified for links')
  if (parts.length > 2) throw new Error(`bad format for links: ${text}`)
  return text
}
