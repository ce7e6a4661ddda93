import { invalid } from '@berth/base'

/** How a network's addresses meet the rest of the world: Docker's gateway modes. */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated'

/** What one address family of a network is to have. */
export interface FamilyRules {
  /** CIDR texts. */
  readonly subnets: readonly string[]
  readonly gatewayMode: GatewayMode
  /** Hide the containers behind an address of the host's; means nothing in modes without translation. */
  readonly masquerade: boolean
  /** The address to hide them behind; undefined: that of the link by which packets leave. */
  readonly hostAddress?: string | undefined
}

/** What the firewall does for one bridge network. */
export interface NetworkRules {
  readonly bridge: string
  readonly ipv4?: FamilyRules | undefined
  readonly ipv6?: FamilyRules | undefined
  /** Its containers may talk to each other. */
  readonly icc: boolean
  /** Nothing passes between it and anything else. */
  readonly isInternal: boolean
  /** From which links of the host published ports are reached at the containers' own addresses too; default: none. */
  readonly directFrom?: DirectFrom | undefined
}

/** 'anywhere', or names of links. */
export type DirectFrom = 'anywhere' | readonly string[]

/** A container's end on a bridge: only frames with its own addresses come from it. */
export interface GuardedLink {
  readonly hostLink: string
  readonly mac: string
  /** IPv4 and IPv6, without prefix lengths. */
  readonly addresses: readonly string[]
  /** Its network lets containers talk to each other. */
  readonly icc: boolean
}

/** A linked container's port, which another may reach although its network forbids it in general. */
export interface LinkedPort {
  readonly from: string
  readonly to: string
  readonly protocol: Protocol
  readonly port: number
}

export type Protocol = 'tcp' | 'udp' | 'sctp'

/**
 * A published port as it stands. `nat`: the kernel translates; `relay`: it is carried by the engine's relay alone;
 * `routed`: the container's own address is reached, only the firewall opens.
 */
export interface PublishedPort {
  readonly protocol: Protocol
  readonly hostIp: string
  readonly hostPort: number
  readonly containerIp: string
  readonly containerPort: number
  readonly via: 'nat' | 'relay' | 'routed'
  /** Translated, but reached at the container's own address too, by who may. */
  readonly isDirect?: boolean | undefined
}

/** The names of links are quoted in nft's language, which knows no escapes. */
export function checkLinkName(name: string): string {
  if (/^[\w.-]{1,15}$/.test(name)) return name
  throw invalid(
    `invalid bridge name ${JSON.stringify(name)}: want 1 to 15 letters, digits, dots, dashes and underscores`,
  )
}
