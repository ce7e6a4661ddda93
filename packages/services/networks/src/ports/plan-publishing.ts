import { invalid } from '@berth/base'
import type { RelayUse } from './plan-ports.ts'

export type AddressFamily = 4 | 6
export const families: readonly AddressFamily[] = [4, 6]

/** What the configuration says of published ports and of the host's firewall. Absent is Docker's default. */
export interface PublishingOptions {
  /** The engine filters and translates IPv4; default true. False: no rule of IPv4 is made, ports are relayed. */
  readonly iptables?: boolean | undefined
  /** The same of IPv6. */
  readonly ip6tables?: boolean | undefined
  /** Ports that the kernel cannot translate are relayed; default true. */
  readonly userlandProxy?: boolean | undefined
  /** Other hosts may reach published ports at the containers' own addresses; default false. */
  readonly allowDirectRouting?: boolean | undefined
  /** Published ports are services of the host's, behind its own filter for incoming packets; default false. */
  readonly behindHostFirewall?: boolean | undefined
}

export interface Publishing {
  readonly managed: readonly AddressFamily[]
  readonly relayUse: RelayUse
  readonly allowDirectRouting: boolean
}

/** Throws `invalid` for what contradicts itself. */
export function planPublishing(options: PublishingOptions = {}): Publishing {
  const { iptables = true, ip6tables = true, userlandProxy = true } = options
  const { allowDirectRouting = false, behindHostFirewall = false } = options
  const unmanaged: AddressFamily[] = [...(iptables ? [] : [4 as const]), ...(ip6tables ? [] : [6 as const])]
  if (!userlandProxy && (behindHostFirewall || unmanaged.length > 0)) {
    const reason = behindHostFirewall
      ? '--publish-behind-firewall'
      : iptables
        ? '--ip6tables=false'
        : '--iptables=false'
    throw invalid(`--userland-proxy=false and ${reason} exclude each other: nothing would serve published ports`)
  }
  return {
    managed: families.filter((family) => !unmanaged.includes(family)),
    relayUse: behindHostFirewall ? 'all' : userlandProxy ? { families: unmanaged } : 'none',
    allowDirectRouting,
  }
}
