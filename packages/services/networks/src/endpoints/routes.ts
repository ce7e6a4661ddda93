import type { EndpointSettings } from '@berth/engine-api'
import type { RouteRequest } from '@berth/linux'
import { routesByLink } from '../drivers/stacked-options.ts'
import { gatewayLabel } from '../bridge/default-bridge.ts'
import { poolsOf } from '../ipam/plan-pools.ts'
import { contains, type Family, parseSubnet, toNumber } from '../ipam/subnet.ts'
import type { Endpoint, NetworkRecord } from '../model.ts'
import { type Candidate, chooseGateway, compareCandidates } from './gateways.ts'

/** The way out that a network gives its containers, by an address of theirs; '' where it gives none. */
export function gatewayOf(record: NetworkRecord, family: Family, address?: string): string {
  const { internal, pools, options } = record
  if (internal || options[`com.docker.network.bridge.gateway_mode_ipv${family}`] === 'isolated') return ''
  if (routesByLink(record)) return ''
  const own = poolsOf(pools, family)
  const pool = own.find(({ subnet }) => address && contains(parseSubnet(subnet), toNumber(address))) ?? own[0]
  return pool?.auxiliary[gatewayLabel[family]] ?? pool?.gateway ?? ''
}

export function candidateOf(record: NetworkRecord, { GwPriority }: Pick<EndpointSettings, 'GwPriority'>): Candidate {
  const { name, internal, enableIPv4, enableIPv6 } = record
  const byLink = routesByLink(record) && !internal ? theLink : ''
  return {
    name,
    priority: GwPriority,
    internal,
    gateway4: enableIPv4 ? gatewayOf(record, 4) || byLink : '',
    gateway6: enableIPv6 ? gatewayOf(record, 6) || byLink : '',
  }
}

/** Stands for a gateway where the link leads everywhere. */
const theLink = 'link'

/** The endpoints through which a container's packets leave, by family. */
export interface WaysOut {
  readonly ipv4: Endpoint | undefined
  readonly ipv6: Endpoint | undefined
}

export function waysOut(endpoints: readonly Endpoint[]): WaysOut {
  const candidates = endpoints.map((endpoint) => ({ endpoint, ...describe(endpoint) })).toSorted(compareCandidates)
  return {
    ipv4: chooseGateway(candidates, 4)?.endpoint,
    ipv6: chooseGateway(candidates, 6)?.endpoint,
  }
}

function describe(endpoint: Endpoint): Candidate {
  const { networkName, settings } = endpoint
  const [gateway4, gateway6] = [wayFor(endpoint, 4), wayFor(endpoint, 6)]
  const internal = gateway4 === '' && gateway6 === ''
  return { name: networkName, priority: settings.GwPriority, internal, gateway4, gateway6 }
}

/** A gateway, `theLink` or ''. */
function wayFor({ settings, routesByLink: byLink }: Endpoint, family: Family): string {
  const { Gateway, IPv6Gateway, IPAddress, GlobalIPv6Address } = settings
  const [gateway, address] = family === 4 ? [Gateway, IPAddress] : [IPv6Gateway, GlobalIPv6Address]
  return gateway || (byLink && address !== '' ? theLink : '')
}

/** Adds to `request` what leads from the routes of `before` to those of `after`; `indexOf` finds links by their names inside. */
export function changeRoutes(
  request: RouteRequest,
  { before, after }: { readonly before: WaysOut; readonly after: WaysOut },
  indexOf: (name: string) => number | undefined,
): void {
  for (const family of [4, 6] as const) {
    const [old, next] = family === 4 ? [before.ipv4, after.ipv4] : [before.ipv6, after.ipv6]
    if (old?.settings.EndpointID === next?.settings.EndpointID) continue
    const [oldLink, nextLink] = [old, next].map((endpoint) => endpoint?.link && indexOf(endpoint.link.inside))
    // A link that is gone took its routes along.
    if (old && oldLink !== undefined) deleteRoute(request, wayFor(old, family), { family, link: oldLink })
    if (next && nextLink !== undefined) addRoute(request, wayFor(next, family), { family, link: nextLink })
  }
}

interface RouteLink {
  readonly family: Family
  readonly link: number
}

function addRoute(request: RouteRequest, way: string, { family, link }: RouteLink): void {
  if (way === theLink) request.addLinkDefaultRoute(family, link)
  else request.addDefaultRoute(way, link)
}

function deleteRoute(request: RouteRequest, way: string, { family, link }: RouteLink): void {
  if (way === theLink) request.deleteLinkDefaultRoute(family, link)
  else request.deleteDefaultRoute(way, link)
}
