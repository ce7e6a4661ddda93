import type { ContainerId, KeyedLock, Logger, NetworkId } from '@berth/base'
import type { Events } from '@berth/events'
import type { RouteSocket } from '@berth/linux'
import type { BridgeContext } from './bridges.ts'
import type { Dns } from './dns/dns.ts'
import type { Parent } from './drivers/stacked.ts'
import type { SandboxStates } from './endpoints/sandbox-states.ts'
import type { Firewall } from './firewall/firewall.ts'
import type { Ipam } from './ipam/ipam.ts'
import type { PublishedPorts } from './ports/published-ports.ts'
import type { NetworkRegistry } from './registry.ts'
import type { NetworkStore } from './store.ts'

/** What the operations of the networks share. */
export interface Context extends BridgeContext {
  readonly logger: Logger
  readonly events: Pick<Events, 'publish'>
  readonly store: NetworkStore
  /** What macvlan and ipvlan networks are stacked on; absent while the host does not have the link. */
  readonly parents: Map<NetworkId, Parent>
  readonly registry: NetworkRegistry
  readonly states: SandboxStates
  readonly ipam: Ipam
  readonly ports: PublishedPorts
  /** Of the host's namespace. */
  readonly links: RouteSocket
  readonly firewall: Firewall
  /** Tells the firewall of all networks anew. */
  readonly updateFirewall: () => Promise<void>
  /** Where namespaces are pinned. */
  readonly pinDirectory: string
  readonly dns: DnsDefaults
  /** The engine's DNS, of the containers on networks with names. */
  readonly resolvers: Dns
  /** One attach or detach of a container at a time. */
  readonly locks: KeyedLock<ContainerId>
  /** What `host-gateway` stands for. */
  readonly hostGateways: readonly string[]
  /** By driver: what networks have that say nothing else. */
  readonly defaultOptions: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** What a container without settings of its own gets. */
export interface DnsDefaults {
  readonly servers: readonly string[]
  readonly options: readonly string[]
  readonly search: readonly string[]
}
