import type { EndpointSettings } from '@berth/engine-api'
import type { RouteRequest } from '@berth/linux'
import { gatewayLabel } from '../bridge/default-bridge.ts'
import { poolsOf } from '../ipam/plan-pools.ts'
import { contains, type Family, parseSubnet, toNumber } from '../ipam/subnet.ts'
import type { Endpoint, NetworkRecord } from '../model.ts'
import { type Candidate, chooseGateway, compareCandidates } from './gateways.ts'

/** The way out that a network gives its containers, by an address of theirs; '' where it gives none. */
export function gatewayOf({ internal, pools, options }: NetworkRecord, family: Family, address?: string): string {
  if (internal || options[`com.docker.network.bridge.gateway_mode_ipv${family}`] === 'isolated') return ''
  const own = poolsOf(pools, family)
  const pool = own.find(({ subnet }) => address && contains(parseSubnet(subnet), toNumber(address))) ?? own[0]
  return pool?.auxiliary[gatewayLabel[family]] ?? pool?.gateway ?? ''
}

export function candidateOf(record: NetworkRecord, { GwPriority }: Pick<EndpointSettings, 'GwPriority'>): Candidate {
  const { name, internal, enableIPv4, enableIPv6 } = record
  return {
    name,
    priority: GwPriority,
    internal,
    gateway4: enableIPv4 ? gatewayOf(record, 4) : '',
    gateway6: enableIPv6 ? gatewayOf(record, 6) : '',
  }
}

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

function describe({ networkName, settings }: Endpoint): Candidate {
  const { Gateway, IPv6Gateway, GwPriority } = settings
  const internal = Gateway === '' && IPv6Gateway === ''
  return { name: networkName, priority: GwPriority, internal, gateway4: Gateway, gateway6: IPv6Gateway }
}

const gatewayFor = (endpoint: Endpoint | undefined, family: Family): string =>
  (family === 4 ? endpoint?.settings.Gateway : endpoint?.settings.IPv6Gateway) ?? ''

/** Adds to `request` what leads from the routes of `before` to those of `after`; `indexes` are by name inside. */
export function changeRoutes(
  request: RouteRequest,
  { before, after }: { readonly before: WaysOut; readonly after: WaysOut },
  indexes: ReadonlyMap<string, number>,
): void {
  for (const family of [4, 6] as const) {
    const [old, next] = family === 4 ? [before.ipv4, after.ipv4] : [before.ipv6, after.ipv6]
    if (old?.settings.EndpointID === next?.settings.EndpointID) continue
    const [oldLink, nextLink] = [old, next].map((endpoint) => indexes.get(endpoint?.link?.inside ?? ''))
    // A link that is gone took its routes along.
    if (old && oldLink !== undefined) request.deleteDefaultRoute(gatewayFor(old, family), oldLink)
    if (next && nextLink !== undefined) request.addDefaultRoute(gatewayFor(next, family), nextLink)
  }
}
