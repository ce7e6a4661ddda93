import type { ContainerId, KeyedLock, Logger } from '@berth/base'
import type { RouteSocket } from '@berth/linux'
import type { AddressPool } from './ipam/address-pool.ts'
import type { Bridge } from './bridge/bridge.ts'
import type { Firewall } from './firewall/firewall.ts'
import type { PublishedPorts } from './ports/published-ports.ts'
import type { SandboxStates } from './endpoints/sandbox-states.ts'
import type { NetworkStore } from './store.ts'

/** What the operations of the networks share. */
export interface Context {
  readonly logger: Logger
  readonly store: NetworkStore
  readonly states: SandboxStates
  readonly bridge: Bridge
  readonly addresses: AddressPool
  readonly ports: PublishedPorts
  /** Of the host's namespace. */
  readonly links: RouteSocket
  readonly firewall: Firewall
  /** Where namespaces are pinned. */
  readonly pinDirectory: string
  readonly dns: DnsDefaults
  /** One attach or detach of a container at a time. */
  readonly locks: KeyedLock<ContainerId>
  /** The address of published ports for which none is asked. */
  readonly bindingIp: string
  /** What `host-gateway` stands for. */
  readonly hostGateway: string
}

/** What a container without settings of its own gets. */
export interface DnsDefaults {
  readonly servers: readonly string[]
  readonly options: readonly string[]
  readonly search: readonly string[]
}
