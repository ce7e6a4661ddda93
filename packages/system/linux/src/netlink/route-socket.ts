import { isIPv6 } from 'node:net'
import { formatAddress, formatMac, parseAddress, parseMac } from './ip-address.ts'
import {
  NetlinkMessage,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_DUMP,
  NLM_F_EXCL,
  NLM_F_REQUEST,
  readAttributes,
  readText,
} from './message.ts'
import { NETLINK_ROUTE, NetlinkSocket, type Received } from './socket.ts'

// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK = 16
const RTM_DELLINK = 17
const RTM_GETLINK = 18
const RTM_NEWADDR = 20
const RTM_DELADDR = 21
const RTM_GETADDR = 22
const RTM_NEWROUTE = 24
const RTM_DELROUTE = 25
const RTM_GETROUTE = 26
const RTA_DST = 1
const RTA_OIF = 4
const RTA_GATEWAY = 5
const RT_TABLE_MAIN = 254
const RT_TABLE_LOCAL = 255
const RTPROT_BOOT = 3
const RTN_UNICAST = 1
const RT_SCOPE_LINK = 253
const RTEXT_FILTER_SKIP_STATS = 8
// include/uapi/linux/if_link.h
const IFLA_ADDRESS = 1
const IFLA_IFNAME = 3
const IFLA_MTU = 4
const IFLA_LINK = 5
const IFLA_MASTER = 10
const IFLA_OPERSTATE = 16
const IFLA_LINKINFO = 18
const IFLA_STATS64 = 23
const IFLA_NET_NS_FD = 28
const IFLA_EXT_MASK = 29
const IFLA_NUM_TX_QUEUES = 31
const IFLA_NUM_RX_QUEUES = 32
const IFLA_INFO_KIND = 1
const IFLA_INFO_DATA = 2
const IFLA_INFO_SLAVE_KIND = 4
const IFLA_INFO_SLAVE_DATA = 5
const IFLA_BRPORT_STATE = 1
const IFLA_BRPORT_MODE = 4
// include/uapi/linux/if_bridge.h
const BR_STATE_LISTENING = 1
const BR_STATE_LEARNING = 2
const VETH_INFO_PEER = 1
const IFLA_MACVLAN_MODE = 1
const IFLA_IPVLAN_MODE = 1
const IFLA_IPVLAN_FLAGS = 2
// include/uapi/linux/if_addr.h
const IFA_ADDRESS = 1
const IFA_LOCAL = 2
const IFA_BROADCAST = 4
const IFA_F_NODAD = 2

const IFF_UP = 1
// include/uapi/linux/if.h
const IF_OPER_UP = 6
const AF_INET = 2
const AF_INET6 = 10
const create = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
const change = NLM_F_REQUEST | NLM_F_ACK

/** Whether a link passes frames, and why not. */
export interface LinkState {
  readonly index: number
  readonly isUp: boolean
  /** RFC 2863's state is `up`: the kernel passes frames. A link that is set up gets there a little later. */
  readonly isOperational: boolean
  /** Index of the bridge it is in, 0: none. */
  readonly master: number
  /** A spanning tree lets its bridge pass no frames of this port yet: for half a minute, by the kernel's default. */
  readonly isHeldBack: boolean
}

export interface Link extends LinkState {
  readonly name: string
  readonly kind: string
  readonly mac: string
  readonly mtu: number
  readonly statistics: LinkStatistics
}

/** Counters as the link's own namespace sees them. */
export interface LinkStatistics {
  readonly rxBytes: number
  readonly rxPackets: number
  readonly rxErrors: number
  readonly rxDropped: number
  readonly txBytes: number
  readonly txPackets: number
  readonly txErrors: number
  readonly txDropped: number
}

export interface LinkAddress {
  readonly index: number
  readonly address: string
  readonly prefixLength: number
}

export interface Route {
  /** Undefined: the default route. */
  readonly destination: string | undefined
  readonly prefixLength: number
  readonly gateway: string | undefined
  /** Index of the link. */
  readonly link: number
}

/** How macvlan links on one parent see each other (include/uapi/linux/if_link.h: enum macvlan_mode). */
export type MacvlanMode = 'private' | 'vepa' | 'bridge' | 'passthru'

const macvlanModes: Record<MacvlanMode, number> = { private: 1, vepa: 2, bridge: 4, passthru: 8 }

/** What an ipvlan link passes on: frames to neighbours, or packets that the kernel routes (enum ipvlan_mode). */
export type IpvlanMode = 'l2' | 'l3' | 'l3s'
/** Whether its siblings see it (IPVLAN_F_PRIVATE, IPVLAN_F_VEPA). */
export type IpvlanFlag = 'bridge' | 'private' | 'vepa'

const ipvlanModes: Record<IpvlanMode, number> = { l2: 0, l3: 1, l3s: 2 }
const ipvlanFlags: Record<IpvlanFlag, number> = { bridge: 0, private: 1, vepa: 2 }

export type StackedKind =
  | { readonly driver: 'macvlan'; readonly mode: MacvlanMode }
  | { readonly driver: 'ipvlan'; readonly mode: IpvlanMode; readonly flag: IpvlanFlag }

export interface StackedOptions {
  readonly kind: StackedKind
  /** Index of the link that it is stacked on, here. */
  readonly parent: number
  readonly mtu?: number
  /** A descriptor of the namespace in which it is born. */
  readonly netns: number
  readonly name: string
  /** Of a macvlan link; an ipvlan link has its parent's. */
  readonly mac: string
}

export interface VethOptions {
  /** Name of the end that stays here. */
  readonly name: string
  /** Index of the bridge that it joins. */
  readonly master: number
  readonly mtu?: number
  /** A descriptor of the namespace in which the other end is born. */
  readonly netns: number
  readonly peerName: string
  readonly peerMac: string
  /** Lets the bridge send a frame back to where it came from: a container that reaches its own published port. */
  readonly hairpin?: boolean
}

/** Requests to rtnetlink(7), collected to go in one send. */
export class RouteRequest {
  readonly message = new NetlinkMessage()

  addBridge(name: string, options: { readonly mac?: string; readonly mtu?: number } = {}): this {
    return this.#link(create, { up: true }, (m) => {
      m.attribute(IFLA_IFNAME, name)
      if (options.mac !== undefined) m.attribute(IFLA_ADDRESS, parseMac(options.mac))
      if (options.mtu !== undefined) m.attribute(IFLA_MTU, options.mtu)
      m.nest(IFLA_LINKINFO, () => m.attribute(IFLA_INFO_KIND, 'bridge'))
    })
  }

  /**
   * The end here goes up at once; the peer cannot be up in the message that moves it (ENOTCONN). Both ends have one queue: by
   * default they have one for each CPU, which costs a directory of sysfs each and gains nothing without XDP.
   */
  addVeth(options: VethOptions): this {
    this.#link(create, { up: true }, (m) => {
      m.attribute(IFLA_IFNAME, options.name).attribute(IFLA_MASTER, options.master)
      oneQueue(m)
      if (options.mtu !== undefined) m.attribute(IFLA_MTU, options.mtu)
      m.nest(IFLA_LINKINFO, () => {
        m.attribute(IFLA_INFO_KIND, 'veth')
        m.nest(IFLA_INFO_DATA, () => m.nest(VETH_INFO_PEER, () => this.#peer(options)))
      })
    })
    return options.hairpin ? this.#hairpin(options.name) : this
  }

  /** A macvlan or ipvlan link. */
  addStacked({ kind, parent, mtu, netns, name, mac }: StackedOptions): this {
    return this.#link(create, {}, (m) => {
      m.attribute(IFLA_IFNAME, name).attribute(IFLA_LINK, parent)
      if (kind.driver === 'macvlan') m.attribute(IFLA_ADDRESS, parseMac(mac))
      if (mtu !== undefined) m.attribute(IFLA_MTU, mtu)
      m.attribute(IFLA_NET_NS_FD, netns)
      m.nest(IFLA_LINKINFO, () => {
        m.attribute(IFLA_INFO_KIND, kind.driver)
        m.nest(IFLA_INFO_DATA, () => {
          if (kind.driver === 'macvlan') return void m.attribute(IFLA_MACVLAN_MODE, macvlanModes[kind.mode])
          m.attribute(IFLA_IPVLAN_MODE, u16(ipvlanModes[kind.mode]))
          m.attribute(IFLA_IPVLAN_FLAGS, u16(ipvlanFlags[kind.flag]))
        })
      })
    })
  }

  /** A link of some kind (macvlan, ipvlan) on top of another. */
  addLinkOn(parent: number, kind: string, name: string): this {
    return this.#link(create, {}, (m) => {
      m.attribute(IFLA_IFNAME, name).attribute(IFLA_LINK, parent)
      m.nest(IFLA_LINKINFO, () => m.attribute(IFLA_INFO_KIND, kind))
    })
  }

  setUp(index: number): this {
    return this.#link(change, { index, up: true }, () => {})
  }

  setMtu(index: number, mtu: number): this {
    return this.#link(change, { index }, (m) => m.attribute(IFLA_MTU, mtu))
  }

  /** By name or index. Costs 30 ms and more: the kernel waits for every CPU. Links of a dropped namespace go by themselves. */
  deleteLink(which: string | number): this {
    this.message.message(RTM_DELLINK, change, () => nameLink(this.message, which))
    return this
  }

  addAddress(index: number, address: string, prefixLength: number): this {
    return this.#address(RTM_NEWADDR, { index, address, prefixLength })
  }

  deleteAddress(index: number, address: string, prefixLength: number): this {
    return this.#address(RTM_DELADDR, { index, address, prefixLength })
  }

  /** Everything is on the link: there is no gateway. */
  addLinkDefaultRoute(family: 4 | 6, link: number): this {
    return this.#linkDefaultRoute(RTM_NEWROUTE, create, { family, link })
  }

  deleteLinkDefaultRoute(family: 4 | 6, link: number): this {
    return this.#linkDefaultRoute(RTM_DELROUTE, change, { family, link })
  }

  /** The kernel finds the link by the gateway's address, unless it is named. */
  addDefaultRoute(gateway: string, link?: number): this {
    return this.#defaultRoute(RTM_NEWROUTE, create, { gateway, link })
  }

  deleteDefaultRoute(gateway: string, link: number): this {
    return this.#defaultRoute(RTM_DELROUTE, change, { gateway, link })
  }

  #defaultRoute(
    type: number,
    flags: number,
    route: { readonly gateway: string; readonly link: number | undefined },
  ): this {
    const family = isIPv6(route.gateway) ? AF_INET6 : AF_INET
    this.message.message(type, flags, () => {
      this.message.u8(family).u8(0).u8(0).u8(0).u8(RT_TABLE_MAIN).u8(RTPROT_BOOT).u8(0).u8(RTN_UNICAST).u32(0)
      this.message.attribute(RTA_GATEWAY, parseAddress(route.gateway))
      if (route.link !== undefined) this.message.attribute(RTA_OIF, route.link)
    })
    return this
  }

  #linkDefaultRoute(type: number, flags: number, route: { readonly family: 4 | 6; readonly link: number }): this {
    const family = route.family === 6 ? AF_INET6 : AF_INET
    const head = [family, 0, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, RT_SCOPE_LINK, RTN_UNICAST]
    this.message.message(type, flags, () => {
      for (const byte of head) this.message.u8(byte)
      this.message.u32(0).attribute(RTA_OIF, route.link)
    })
    return this
  }

  #address(type: typeof RTM_NEWADDR | typeof RTM_DELADDR, { index, address, prefixLength }: LinkAddress): this {
    const bytes = parseAddress(address)
    const isV4 = bytes.length === 4
    this.message.message(type, type === RTM_NEWADDR ? create : change, () => {
      // Duplicate address detection would leave a v6 address unusable for a second.
      const flags = isV4 ? 0 : IFA_F_NODAD
      this.message
        .u8(isV4 ? AF_INET : AF_INET6)
        .u8(prefixLength)
        .u8(flags)
        .u8(0)
        .u32(index)
      this.message.attribute(IFA_LOCAL, bytes).attribute(IFA_ADDRESS, bytes)
      if (isV4 && prefixLength < 31) this.message.attribute(IFA_BROADCAST, broadcastOf(bytes, prefixLength))
    })
    return this
  }

  #peer({ peerName, peerMac, netns, mtu }: VethOptions): void {
    linkHeader(this.message, {}).attribute(IFLA_IFNAME, peerName).attribute(IFLA_ADDRESS, parseMac(peerMac))
    oneQueue(this.message)
    if (mtu !== undefined) this.message.attribute(IFLA_MTU, mtu)
    this.message.attribute(IFLA_NET_NS_FD, netns)
  }

  #hairpin(name: string): this {
    return this.#link(change, {}, (m) => {
      m.attribute(IFLA_IFNAME, name)
      m.nest(IFLA_LINKINFO, () => {
        m.attribute(IFLA_INFO_SLAVE_KIND, 'bridge')
        m.nest(IFLA_INFO_SLAVE_DATA, () => m.attribute(IFLA_BRPORT_MODE, Buffer.from([1])))
      })
    })
  }

  #link(flags: number, header: { index?: number; up?: boolean }, body: (message: NetlinkMessage) => void): this {
    this.message.message(RTM_NEWLINK, flags, () => {
      linkHeader(this.message, header)
      body(this.message)
    })
    return this
  }
}

const oneQueue = (m: NetlinkMessage): NetlinkMessage =>
  m.attribute(IFLA_NUM_TX_QUEUES, 1).attribute(IFLA_NUM_RX_QUEUES, 1)

/** An rtnetlink(7) socket of the network namespace that the thread is in when it is made. */
export class RouteSocket implements Disposable {
  readonly #socket = new NetlinkSocket(NETLINK_ROUTE, 'rtnetlink')

  /** Does what was collected; throws the first refusal, named by `what`. */
  send(request: RouteRequest, what: string): void {
    this.#socket.request(request.message, what)
  }

  /** As `send`, with the wait for the kernel's RTNL lock on a pool thread. */
  sendAsync(request: RouteRequest, what: string): Promise<void> {
    return this.#socket.requestAsync(request.message, what)
  }

  /** The link of that name, or undefined. */
  link(name: string): Link | undefined {
    const request = askLink(new NetlinkMessage(), name)
    let found: Link | undefined
    try {
      this.#socket.query(request, `get link ${name}`, (received) => (found = readLink(received)))
      return found
    } catch (error) {
      return absent(error)
    }
  }

  /** The index of the link of that name, or undefined. Unlike `link` it does not wait for the kernel's RTNL lock. */
  linkIndex(name: string): number | undefined {
    return this.#socket.linkIndex(name)
  }

  /** The states of several links, by names or indexes, with one wait for the kernel on a pool thread. */
  async linkStates(which: readonly (string | number)[]): Promise<LinkState[]> {
    const query = new NetlinkMessage()
    for (const one of which) askLink(query, one, RTEXT_FILTER_SKIP_STATS)
    const found: LinkState[] = []
    try {
      await this.#socket.requestAsync(query, `get links ${which.join(', ')}`, (received) =>
        found.push(readState(received, linkAttributes(received))),
      )
    } catch (error) {
      absent(error)
    }
    return found
  }

  links(): Link[] {
    return this.#dump(RTM_GETLINK, 'list links', (m) => linkHeader(m, {}), readLink)
  }

  addresses(): LinkAddress[] {
    return this.#dump(RTM_GETADDR, 'list addresses', (m) => m.u32(0).u32(0), readAddress)
  }

  /** The unicast routes of all tables but the local one, both families. */
  routes(): Route[] {
    const all = this.#dump(RTM_GETROUTE, 'list routes', (m) => m.u32(0).u32(0).u32(0), readRoute)
    return all.filter((route) => route !== undefined)
  }

  #dump<T>(type: number, what: string, header: (m: NetlinkMessage) => unknown, read: (received: Received) => T): T[] {
    const request = new NetlinkMessage()
    request.message(type, NLM_F_REQUEST | NLM_F_DUMP, () => void header(request))
    const found: T[] = []
    this.#socket.query(request, what, (received) => found.push(read(received)))
    return found
  }

  [Symbol.dispose](): void {
    this.#socket[Symbol.dispose]()
  }
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function askLink(query: NetlinkMessage, which: string | number, filter = 0): NetlinkMessage {
  return query.message(RTM_GETLINK, NLM_F_REQUEST | NLM_F_ACK, () => {
    nameLink(query, which)
    if (filter !== 0) query.attribute(IFLA_EXT_MASK, filter)
  })
}

function nameLink(message: NetlinkMessage, which: string | number): void {
  if (typeof which === 'number') linkHeader(message, { index: which })
  else linkHeader(message, {}).attribute(IFLA_IFNAME, which)
}

function absent(error: unknown): undefined {
  if ((error as { code?: string }).code !== 'ENODEV') throw error
}

/** struct ifinfomsg */
function linkHeader(m: NetlinkMessage, { index = 0, up = false }: { index?: number; up?: boolean }): NetlinkMessage {
  return m
    .u32(0)
    .u32(index)
    .u32(up ? IFF_UP : 0)
    .u32(up ? IFF_UP : 0)
}

function broadcastOf(address: Buffer, prefixLength: number): Buffer {
  const broadcast = Buffer.alloc(4)
  const hostBits = 2 ** (32 - prefixLength) - 1
  broadcast.writeUInt32BE((address.readUInt32BE() | hostBits) >>> 0)
  return broadcast
}

/** What follows struct ifinfomsg. */
const linkAttributes = ({ buffer, start, end }: Received) => readAttributes(buffer, start + 16, end)

function readLink(received: Received): Link {
  const attributes = linkAttributes(received)
  return {
    ...readState(received, attributes),
    name: readText(attributes.get(IFLA_IFNAME)),
    kind: readText(readNested(attributes.get(IFLA_LINKINFO)).get(IFLA_INFO_KIND)),
    mac: formatMac(attributes.get(IFLA_ADDRESS) ?? Buffer.alloc(0)),
    mtu: attributes.get(IFLA_MTU)?.readUInt32LE() ?? 0,
    statistics: readStatistics(attributes.get(IFLA_STATS64) ?? Buffer.alloc(64)),
  }
}

function readState({ buffer, start }: Received, attributes: ReadonlyMap<number, Buffer>): LinkState {
  const info = readNested(attributes.get(IFLA_LINKINFO))
  return {
    index: buffer.readInt32LE(start + 4),
    isUp: (buffer.readUInt32LE(start + 8) & IFF_UP) !== 0,
    isOperational: attributes.get(IFLA_OPERSTATE)?.[0] === IF_OPER_UP,
    master: attributes.get(IFLA_MASTER)?.readUInt32LE() ?? 0,
    isHeldBack: readText(info.get(IFLA_INFO_SLAVE_KIND)) === 'bridge' && isHeldBack(info.get(IFLA_INFO_SLAVE_DATA)),
  }
}

const readNested = (attribute: Buffer | undefined): ReadonlyMap<number, Buffer> =>
  attribute ? readAttributes(attribute, 0, attribute.length) : new Map()

function isHeldBack(port: Buffer | undefined): boolean {
  const state = readNested(port).get(IFLA_BRPORT_STATE)?.[0]
  return state === BR_STATE_LISTENING || state === BR_STATE_LEARNING
}

/** struct rtnl_link_stats64 */
function readStatistics(b: Buffer): LinkStatistics {
  const at = (index: number): number => Number(b.readBigUInt64LE(index * 8))
  return {
    rxPackets: at(0),
    txPackets: at(1),
    rxBytes: at(2),
    txBytes: at(3),
    rxErrors: at(4),
    txErrors: at(5),
    rxDropped: at(6),
    txDropped: at(7),
  }
}

/** struct ifaddrmsg */
function readAddress({ buffer, start, end }: Received): LinkAddress {
  const attributes = readAttributes(buffer, start + 8, end)
  return {
    index: buffer.readUInt32LE(start + 4),
    address: formatAddress(attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS) ?? Buffer.alloc(4)),
    prefixLength: buffer.readUInt8(start + 1),
  }
}

/** struct rtmsg */
function readRoute({ buffer, start, end }: Received): Route | undefined {
  const attributes = readAttributes(buffer, start + 12, end)
  if (buffer.readUInt8(start + 4) === RT_TABLE_LOCAL || buffer.readUInt8(start + 7) !== RTN_UNICAST) return undefined
  const [destination, gateway] = [attributes.get(RTA_DST), attributes.get(RTA_GATEWAY)]
  return {
    destination: destination && formatAddress(destination),
    prefixLength: buffer.readUInt8(start + 1),
    gateway: gateway && formatAddress(gateway),
    link: attributes.get(RTA_OIF)?.readUInt32LE() ?? 0,
  }
}
