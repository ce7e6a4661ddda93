import { invalid } from '@berth/base'
import type { PortBinding, PortMap } from '@berth/engine-api'
import { parseAddress } from '@berth/linux'
import { isIPv4 } from 'node:net'
import type { Protocol, PublishedPort } from '../firewall/rules.ts'

/** A binding that was asked for: `from` to `to` are the host ports to choose from, 0 to 0 any that is free. */
export interface WantedPort {
  readonly protocol: Protocol
  /** One, or both families' unspecified addresses where none was asked for. */
  readonly hostIps: readonly string[]
  readonly from: number
  readonly to: number
  readonly containerPort: number
}

/** Where published ports lead to. */
export interface PortTarget {
  readonly ipv4?: string | undefined
  readonly ipv6?: string | undefined
  /** Families of the network whose addresses are reached as they are. */
  readonly isRouted4?: boolean | undefined
  readonly isRouted6?: boolean | undefined
  /** Published ports are reached at the container's own addresses too. */
  readonly isDirect?: boolean | undefined
}

/** What the relay carries: all ports, none, or those that the kernel cannot translate; of the latter all of some families. */
export type RelayUse = 'all' | 'none' | { readonly families: readonly (4 | 6)[] }

const asNeeded: RelayUse = { families: [] }

const anyV4 = '0.0.0.0'
const anyV6 = '::'
const protocols: readonly string[] = ['tcp', 'udp', 'sctp'] satisfies Protocol[]

/**
 * Decodes port bindings. `defaultHostIp` is where a binding without an address goes: an unspecified one means both
 * families. Throws `invalid` for what is malformed.
 */
export function planPorts(bindings: PortMap, defaultHostIp = anyV4): WantedPort[] {
  return Object.entries(bindings).flatMap(([port, wanted]) => {
    const [, number = '', protocol = 'tcp'] = /^(\d+)(?:\/(\w+))?$/.exec(port) ?? []
    const containerPort = parsePort(number, `invalid container port specification: ${port}`)
    if (!protocols.includes(protocol)) throw invalid(`invalid protocol: ${protocol}`)
    return (wanted ?? []).map((binding) => ({
      protocol: protocol as Protocol,
      containerPort,
      ...planBinding(binding, defaultHostIp),
    }))
  })
}

function planBinding({ HostIp, HostPort }: PortBinding, defaultHostIp: string) {
  const hostIps = HostIp === '' ? defaultAddresses(defaultHostIp) : [checkAddress(HostIp)]
  if (HostPort === '' || HostPort === '0') return { hostIps, from: 0, to: 0 }
  const [first = '', last = first] = HostPort.split('-', 2)
  const complaint = `invalid port specification: "${HostPort}"`
  const [from, to] = [parsePort(first, complaint), parsePort(last, complaint)]
  if (from > to) throw invalid(complaint)
  return { hostIps, from, to }
}

const defaultAddresses = (address: string): string[] =>
  address === '' || address === anyV4 || address === anyV6 ? [anyV4, anyV6] : [checkAddress(address)]

function checkAddress(address: string): string {
  try {
    parseAddress(address)
    return address
  } catch (error) {
    throw invalid(`invalid host IP address: ${address}`, error)
  }
}

function parsePort(text: string, complaint: string): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw invalid(complaint)
  return port
}

export type PortRoute = Omit<PublishedPort, 'hostPort'>

/**
 * By which ways a binding leads to the container, one an address. The relay serves what no translation can: an IPv6
 * address of the host for a container without IPv6, and ::1, from which no packet leaves the host; and whatever else `use`
 * says.
 */
export function planRoutes(wanted: WantedPort, target: PortTarget, use: RelayUse = asNeeded): PortRoute[] {
  return wanted.hostIps.flatMap((hostIp): PortRoute[] => {
    const [containerIp, via] = isIPv4(hostIp) ? routeV4(target) : routeV6(target, hostIp)
    if (containerIp === undefined) return []
    const { protocol, containerPort } = wanted
    const chosen = via === 'nat' && relays(use, isIPv4(containerIp) ? 4 : 6) ? 'relay' : via
    // The relay does not speak SCTP.
    if (chosen === 'relay' && (protocol === 'sctp' || use === 'none')) return []
    const isDirect = chosen === 'nat' && target.isDirect
    return [{ protocol, hostIp, containerIp, containerPort, via: chosen, ...(isDirect ? { isDirect } : {}) }]
  })
}

const relays = (use: RelayUse, family: 4 | 6): boolean =>
  use === 'all' || (use !== 'none' && use.families.includes(family))

type Route = readonly [containerIp: string | undefined, via: PublishedPort['via']]

const routeV4 = ({ ipv4, isRouted4 }: PortTarget): Route => [ipv4, isRouted4 ? 'routed' : 'nat']

function routeV6({ ipv4, ipv6, isRouted6 }: PortTarget, hostIp: string): Route {
  if (ipv6 === undefined) return [ipv4, 'relay']
  if (isRouted6) return [ipv6, 'routed']
  return [ipv6, hostIp === '::1' ? 'relay' : 'nat']
}

/** The bindings as inspect shows them. */
export function toPortMap(ports: readonly PublishedPort[]): PortMap {
  const map: Record<string, PortBinding[]> = {}
  for (const { protocol, containerPort, hostIp, hostPort, via } of ports) {
    const bindings = (map[`${containerPort}/${protocol}`] ??= [])
    bindings.push({ HostIp: hostIp, HostPort: via === 'routed' ? '' : `${hostPort}` })
  }
  return map
}
