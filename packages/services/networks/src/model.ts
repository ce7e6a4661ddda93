import type { NetworkId } from '@berth/base'
import type { EndpointSettings, IpamConfig } from '@berth/engine-api'

/** What a network serves addresses from. Texts are canonical; the kernel's and the firewall's own form. */
export interface Pool {
  readonly subnet: string
  /** Where addresses are chosen from; undefined: the whole subnet. */
  readonly range?: string
  /** The bridge's own address, and the containers' way out; undefined: the driver has none. */
  readonly gateway?: string
  /** By name; never handed out. */
  readonly auxiliary: Readonly<Record<string, string>>
  /** By the engine: no container may ask for an address of it by name. */
  readonly isChosen?: boolean
}

/** A network as it was made. */
export interface NetworkRecord {
  readonly id: NetworkId
  readonly name: string
  readonly driver: string
  /** RFC 3339, nanoseconds. */
  readonly created: string
  readonly scope: string
  readonly enableIPv4: boolean
  readonly enableIPv6: boolean
  readonly internal: boolean
  readonly attachable: boolean
  /** A template of others: nothing is in the kernel. */
  readonly configOnly: boolean
  /** The template's name, or ''. */
  readonly configFrom: string
  readonly ipam: {
    readonly driver: string
    readonly options: Readonly<Record<string, string>> | null
    /** As inspect shows it: what was asked for, then what was chosen. */
    readonly config: readonly IpamConfig[] | null
  }
  readonly options: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
  readonly pools: readonly Pool[]
  /** Its bridge was there before it, and stays when it goes. */
  readonly keepsBridge?: boolean
}

/** One container's place in one network while it runs. */
export interface Endpoint {
  readonly networkId: NetworkId
  readonly networkName: string
  /** Names of the two ends of its link, `host` '' where it has one only; undefined where the driver makes none. */
  readonly link: { readonly inside: string; readonly host: string } | undefined
  /** Its link is the way out, without a gateway. */
  readonly routesByLink?: boolean
  /** With what was got: ids, addresses, MAC address, names. */
  readonly settings: EndpointSettings
  /** Being made or taken away: the next engine takes it away. */
  readonly isHalfMade?: boolean
}

export const predefinedDrivers = { bridge: 'bridge', host: 'host', none: 'null' } as const

export type PredefinedName = keyof typeof predefinedDrivers

export const isPredefined = (name: string): name is PredefinedName => Object.hasOwn(predefinedDrivers, name)
