import type { NetworksOptions } from '@berth/networks'
import type { Config } from './config/config.ts'

/** The default bridge and what containers' resolvers get, as the configuration names them. */
export function networkSettings(config: Config): Omit<NetworksOptions, 'database' | 'runRoot' | 'logger' | 'events'> {
  const list = (key: string) => config.get(key, [] as readonly string[])
  return {
    bridge: config.has('bridge') ? config.get('bridge', '') : undefined,
    bip: config.has('bip') ? config.get('bip', '') : undefined,
    mtu: config.has('mtu') ? config.get('mtu', 0) : undefined,
    ipMasquerade: config.get('ip-masq', true),
    ipForward: config.get('ip-forward', true),
    dns: list('dns'),
    dnsOptions: list('dns-opts'),
    dnsSearch: list('dns-search'),
  }
}
