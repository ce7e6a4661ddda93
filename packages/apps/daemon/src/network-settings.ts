import { isIP } from 'node:net'
import { invalid } from '@berth/base'
import { buildAddressRange, type NetworksOptions } from '@berth/networks'
import type { Config } from './config/config.ts'
import type { AddressPoolEntry } from './config/values.ts'

type Settings = Omit<NetworksOptions, 'database' | 'runRoot' | 'logger' | 'events' | 'apiPorts'>

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
    publishing: {
      iptables: config.get('iptables', true),
      ip6tables: config.get('ip6tables', true),
      userlandProxy: config.get('userland-proxy', true),
      allowDirectRouting: config.get('allow-direct-routing', false),
      behindHostFirewall: config.get('publish-behind-firewall', false),
    },
    hostGatewayIps: config.has('host-gateway-ips') ? addresses('host-gateway-ip', list('host-gateway-ips')) : undefined,
    dns: addresses('dns', list('dns')),
    dnsOptions: list('dns-opts'),
    dnsSearch: searchDomains(list('dns-search')),
  }
}

/** A list of dockerd's, several to a flag. Throws `invalid` naming the flag. */
function addresses(flag: string, texts: readonly string[]): string[] {
  const all = texts.flatMap((text) => text.split(','))
  for (const text of all) if (isIP(text) === 0) throw invalid(`invalid --${flag}: ${text} is not an IP address`)
  return all
}

/** As dockerd has them: one without a letter would be an address. `.` clears the search list. */
function searchDomains(texts: readonly string[]): readonly string[] {
  const label = /^[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/
  for (const text of texts) {
    const domain = text.trim().replace(/\.$/, '')
    const isDomain =
      domain.length < 255 && /[a-zA-Z]/.test(domain) && domain.split('.').every((part) => label.test(part))
    if (!isDomain && text.trim() !== '.') throw invalid(`invalid --dns-search: ${text} is not a valid domain`)
  }
  return texts
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
    bindingIp: config.has('ip') ? addresses('ip', [config.get('ip', '')])[0] : undefined,
    ipv6: config.get('ipv6', false),
    icc: config.get('icc', true),
    mtu: config.has('mtu') ? config.get('mtu', 0) : undefined,
    ipMasquerade: config.get('ip-masq', true),
  }
}
