import { buildAddressRange, type NetworksOptions } from '@berth/networks'
import type { Config } from './config/config.ts'
import type { AddressPoolEntry } from './config/values.ts'

type Settings = Omit<NetworksOptions, 'database' | 'runRoot' | 'logger' | 'events'>

/** The default bridge, where networks get their subnets, and what containers' resolvers get, as the configuration has it. */
export function networkSettings(config: Config): Settings {
  const list = (key: string) => config.get(key, [] as readonly string[])
  const pools = config.get('default-address-pools', [] as readonly AddressPoolEntry[])
  const options = config.get('default-network-opts', {} as Readonly<Record<string, Readonly<Record<string, string>>>>)
  return {
    ...defaultBridge(config),
    addressPools: pools.map(({ base, size }) => buildAddressRange(base, size)),
    defaultNetworkOptions: options,
    ipForward: config.get('ip-forward', true),
    dns: list('dns'),
    dnsOptions: list('dns-opts'),
    dnsSearch: list('dns-search'),
  }
}

function defaultBridge(config: Config): Settings {
  const text = (key: string) => (config.has(key) ? config.get(key, '') : undefined)
  return {
    bridge: text('bridge'),
    bip: text('bip'),
    bip6: text('bip6'),
    fixedCidr: text('fixed-cidr'),
    fixedCidrV6: text('fixed-cidr-v6'),
    defaultGateway: text('default-gateway'),
    defaultGatewayV6: text('default-gateway-v6'),
    bindingIp: text('ip'),
    ipv6: config.get('ipv6', false),
    icc: config.get('icc', true),
    mtu: config.has('mtu') ? config.get('mtu', 0) : undefined,
    ipMasquerade: config.get('ip-masq', true),
  }
}
