import { randomId, shortId } from '@berth/base'
import type { EndpointSettings } from '@berth/engine-api'
import { formatAddress, parseAddress } from '@berth/linux'
import { routesByLink } from '../drivers/stacked-options.ts'
import { parseBridgeOptions } from '../bridge/bridge-options.ts'
import type { Context } from '../context.ts'
import { type Endpoint, isPredefined, type NetworkRecord } from '../model.ts'
import type { AttachRequest } from '../networks.ts'
import { parseEndpointOptions } from './endpoint-options.ts'
import { macOf, type PlannedEndpoint } from './plan-attachment.ts'
import { gatewayOf } from './routes.ts'

type Owner = Pick<AttachRequest, 'containerId' | 'name' | 'hostname'>

/** Takes an endpoint's addresses and names; all or nothing. `taken` are the names of the container's interfaces. */
export function takeEndpoint(
  context: Context,
  { record, asked }: PlannedEndpoint,
  { owner, taken }: { readonly owner: Owner; readonly taken: readonly string[] },
): Endpoint {
  const base = { networkId: record.id, networkName: record.name }
  const settings = { ...asked, NetworkID: record.id, EndpointID: randomId() }
  if (record.driver === 'host' || record.driver === 'null') return { ...base, link: undefined, settings }
  const addressed = takeAddresses(context, record, settings)
  const inside = parseEndpointOptions(asked.DriverOpts ?? {}).name ?? freeName(record, taken)
  return {
    ...base,
    ...(routesByLink(record) && !record.internal ? { routesByLink: true } : {}),
    // A stacked link has one end only.
    link: { inside, host: record.driver === 'bridge' ? `veth${randomId().slice(0, 7)}` : '' },
    settings: { ...addressed, DNSNames: isPredefined(record.name) ? null : dnsNames(owner, asked.Aliases) },
  }
}

export function releaseEndpoint({ ipam }: Pick<Context, 'ipam'>, { networkId, settings }: Endpoint): void {
  for (const address of [settings.IPAddress, settings.GlobalIPv6Address]) {
    if (address !== '') ipam.release(networkId, address)
  }
}

function takeAddresses({ ipam }: Context, record: NetworkRecord, settings: EndpointSettings): EndpointSettings {
  const wanted = settings.IPAMConfig ?? {}
  const ipv4 = record.enableIPv4 ? ipam.allocate(record, 4, wanted.IPv4Address || undefined) : ''
  try {
    const ipv6 = record.enableIPv6 ? ipam.allocate(record, 6, wanted.IPv6Address || undefined) : ''
    return {
      ...settings,
      ...(ipv4 === '' ? {} : addressed4(ipam, record, ipv4)),
      ...(ipv6 === '' ? {} : addressed6(ipam, record, ipv6)),
      // An ipvlan link has its parent's.
      MacAddress: record.driver === 'ipvlan' ? '' : settings.MacAddress || macOf(ipv4 || ipv6),
    }
  } catch (error) {
    if (ipv4 !== '') ipam.release(record.id, ipv4)
    throw error
  }
}

const addressed4 = (ipam: Context['ipam'], record: NetworkRecord, address: string) => ({
  IPAddress: address,
  IPPrefixLen: ipam.prefixLength(record.id, address),
  Gateway: gatewayOf(record, 4, address),
})

const addressed6 = (ipam: Context['ipam'], record: NetworkRecord, address: string) => ({
  GlobalIPv6Address: address,
  GlobalIPv6PrefixLen: ipam.prefixLength(record.id, address),
  IPv6Gateway: gatewayOf(record, 6, address),
})

function freeName(record: NetworkRecord, taken: readonly string[]): string {
  const { prefix } = parseBridgeOptions(record.options, record.internal)
  for (let number = 0; ; number++) if (!taken.includes(`${prefix}${number}`)) return `${prefix}${number}`
}

/** By which a container is found on a network of users', as inspect shows them. */
export function dnsNames({ name, containerId, hostname }: Owner, aliases: readonly string[] | null): string[] {
  const names = [name, ...(aliases ?? []), shortId(containerId), ...(hostname === '' ? [] : [hostname])]
  return [...new Set(names)]
}

/** All addresses of an endpoint with their prefix lengths, those in its own network first. */
export function endpointAddresses({
  settings,
}: Endpoint): { readonly address: string; readonly prefixLength: number }[] {
  const { IPAddress, IPPrefixLen, GlobalIPv6Address, GlobalIPv6PrefixLen, IPAMConfig } = settings
  const linkLocal = (IPAMConfig?.LinkLocalIPs ?? []).map((text) => formatAddress(parseAddress(text)))
  return [
    ...(IPAddress === '' ? [] : [{ address: IPAddress, prefixLength: IPPrefixLen }]),
    ...(GlobalIPv6Address === '' ? [] : [{ address: GlobalIPv6Address, prefixLength: GlobalIPv6PrefixLen }]),
    ...linkLocal.map((address) => ({ address, prefixLength: address.includes(':') ? 64 : 16 })),
  ]
}
