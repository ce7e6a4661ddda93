import type { ContainerId, Filters, NetworkId } from '@berth/base'
import type { EndpointSettings, NetworkCreateRequest, NetworkResponse, PortMap } from '@berth/engine-api'
import type { NetworkRecord } from './model.ts'

/** Another container on the default bridge, as one that is linked to it sees it. */
export interface LinkedHost {
  readonly address: string
  /** The link's alias first. */
  readonly names: readonly string[]
  readonly ports: readonly { readonly port: number; readonly protocol: string }[]
}

/** What a container asks of the network before it starts. */
export interface AttachRequest {
  readonly containerId: ContainerId
  readonly name: string
  readonly hostname: string
  readonly domainname: string
  /** 'bridge' | 'none' | 'host' | `container:<id>` (resolved) | a network's name or id; '': in no network but `endpoints`. */
  readonly mode: string
  /** By network name; a `NetworkID` in them says which network of that name is meant. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly dns: readonly string[]
  readonly dnsOptions: readonly string[]
  readonly dnsSearch: readonly string[]
  /** `name:address`; `host-gateway` as an address is resolved here. */
  readonly extraHosts: readonly string[]
  readonly portBindings: PortMap
  readonly sysctls: Readonly<Record<string, string>>
  /** Containers of the default bridge that this one knows by other names, and may reach although others may not. */
  readonly links?: readonly LinkedHost[]
  /** Directory in which `hosts`, `hostname` and `resolv.conf` are written (kept when the user edited them). */
  readonly filesDirectory: string
}

/** A container's network as it stands. Serialisable: kept beside the container's live state. */
export interface Attachment {
  /** The pinned namespace for the runtime; undefined: the host's. */
  readonly netnsPath: string | undefined
  /** Files to bind over /etc/hosts, /etc/hostname, /etc/resolv.conf. */
  readonly hostsPath: string
  readonly hostnamePath: string
  readonly resolvConfPath: string
  readonly sandboxId: string
  readonly sandboxKey: string
  /** By network name, addresses filled in. */
  readonly endpoints: Readonly<Record<string, EndpointSettings>>
  readonly ports: PortMap
  /** Interface name inside to its host side's name, for counters. */
  readonly interfaces: readonly { readonly inside: string; readonly host: string }[]
}

export interface InterfaceCounters {
  readonly rx_bytes: number
  readonly rx_packets: number
  readonly rx_errors: number
  readonly rx_dropped: number
  readonly tx_bytes: number
  readonly tx_packets: number
  readonly tx_errors: number
  readonly tx_dropped: number
}

/** One network that a container is to enter or leave; `network` is a name or an id. */
export interface MembershipRequest {
  readonly containerId: ContainerId
  readonly network: string
}

/** `ref` is a network's id, name, or an unambiguous prefix of an id; unknown is `network ref not found` (404). */
export interface Networks extends AsyncDisposable {
  /** Makes the sandbox and its endpoints; `attach` is all or nothing. */
  attach(request: AttachRequest): Promise<Attachment>
  /** Releases everything `attach` made; idempotent, also for what an earlier process made. */
  detach(containerId: ContainerId): Promise<void>
  /** Takes a running container into one more network; all or nothing. */
  connect(request: MembershipRequest & { readonly settings: EndpointSettings }): Promise<Attachment>
  /** Takes a running container out of a network. */
  disconnect(request: MembershipRequest): Promise<Attachment>
  /** Throws why a container that is in the networks named `others` cannot join another with these settings. */
  checkMember(network: string, settings: EndpointSettings, others: readonly string[]): void
  /** Throws what is wrong with the settings of a new container, which names the network; one that is not there, or is a template, is no reason. */
  checkConfig(network: string, settings: EndpointSettings): void
  /** A running container has a new name. */
  rename(containerId: ContainerId, name: string): void
  /** A container to which a running one is linked has another address, or comes again. */
  updateLink(containerId: ContainerId, link: LinkedHost): void
  removeLink(containerId: ContainerId, alias: string): void
  /** Counters by interface name inside, as the container sees them; its loopback is left out. */
  counters(containerId: ContainerId): Promise<Readonly<Record<string, InterfaceCounters>>>
  /** Drops what belongs to no container in `alive`; called once at start. */
  reconcile(alive: readonly ContainerId[]): Promise<void>
  /** What of the host keeps published ports or outbound traffic from working, in sentences; asked of the host each time. */
  warnings(): Promise<string[]>
  /** Pinned network namespaces that no sandbox knows, by path. */
  strayPins(): string[]
  /** The attachment of a live container, also after the engine restarted. */
  attachment(containerId: ContainerId): Attachment | undefined

  /** Makes a network; all or nothing. */
  create(request: NetworkCreateRequest): Promise<NetworkId>
  get(ref: string): NetworkRecord
  /** As `GET /networks/{id}` shows it, with the containers in it. */
  describe(ref: string): NetworkResponse
  list(): NetworkResponse[]
  remove(ref: string): Promise<void>
  /** Names of what was removed. */
  prune(filters: Filters): Promise<string[]>
}
