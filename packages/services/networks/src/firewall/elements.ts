import type { NftChange } from '@berth/linux'
import { parseAddress, parseMac } from '@berth/linux'
import { isIPv4 } from 'node:net'
import { checkLinkName, type GuardedLink, type LinkedPort, type Protocol, type PublishedPort } from './rules.ts'

export const tableName = 'berth'

/** The sets and maps of both tables by name, with nft's types of key and data. */
export const sets = {
  /** Published on one address of the host. */
  ports4: { family: 'inet', key: 'inet_proto . ipv4_addr . inet_service', data: 'ipv4_addr . inet_service' },
  ports6: { family: 'inet', key: 'inet_proto . ipv6_addr . inet_service', data: 'ipv6_addr . inet_service' },
  /** Published on all of them. */
  ports4_any: { family: 'inet', key: 'inet_proto . inet_service', data: 'ipv4_addr . inet_service' },
  ports6_any: { family: 'inet', key: 'inet_proto . inet_service', data: 'ipv6_addr . inet_service' },
  /** Containers' own ports that are open in networks without translation. */
  open4: { family: 'inet', key: 'inet_proto . ipv4_addr . inet_service', data: undefined },
  open6: { family: 'inet', key: 'inet_proto . ipv6_addr . inet_service', data: undefined },
  /** Ports on all addresses of the host that the relay alone serves: nobody on an internal network may ask for them. */
  relayed4: { family: 'inet', key: 'inet_proto . inet_service', data: undefined },
  relayed6: { family: 'inet', key: 'inet_proto . inet_service', data: undefined },
  /** protocol . from . to . port, for packets by way of the host. */
  linked: { family: 'inet', key: 'inet_proto . ipv4_addr . ipv4_addr . inet_service', data: undefined },
  /** The same for frames, which the bridge passes without asking the host. */
  linked_frames: { family: 'bridge', key: 'inet_proto . ipv4_addr . ipv4_addr . inet_service', data: undefined },
  guarded: { family: 'bridge', key: 'ifname', data: undefined },
  /** Links of containers that may not talk to each other, and their MAC addresses. */
  separate: { family: 'bridge', key: 'ifname', data: undefined },
  separate_mac: { family: 'bridge', key: 'ether_addr', data: undefined },
  owned_mac: { family: 'bridge', key: 'ifname . ether_addr', data: undefined },
  owned4: { family: 'bridge', key: 'ifname . ether_addr . ipv4_addr', data: undefined },
  owned6: { family: 'bridge', key: 'ifname . ether_addr . ipv6_addr', data: undefined },
  /** What a neighbour advertisement may be of: a field that not every nft has a name for. */
  advertised6: { family: 'bridge', key: 'iifname . ether saddr . @th,64,128', data: undefined },
} as const satisfies Record<string, SetType>

interface SetType {
  readonly family: 'inet' | 'bridge'
  readonly key: string
  readonly data: string | undefined
}
export type SetName = keyof typeof sets

/** One part of a key or of data: as nft writes it, and as the kernel has it. */
interface Part {
  readonly text: string
  readonly bytes: Uint8Array
}

/** An element of one of the sets. */
export interface Element {
  readonly set: SetName
  readonly key: readonly Part[]
  readonly data?: readonly Part[]
}

const protocolNumbers: Record<Protocol, number> = { tcp: 6, udp: 17, sctp: 132 }

const protocolPart = (protocol: Protocol): Part => ({
  text: protocol,
  bytes: Uint8Array.of(protocolNumbers[protocol], 0, 0, 0),
})
const portPart = (port: number): Part => ({ text: `${port}`, bytes: Uint8Array.of(port >> 8, port & 255, 0, 0) })
const addressPart = (address: string): Part => ({ text: address, bytes: parseAddress(address) })
const numberPart = (address: string): Part => {
  const bytes = parseAddress(address)
  return { text: `0x${Buffer.from(bytes).toString('hex')}`, bytes }
}
const macPart = (mac: string): Part => ({ text: mac, bytes: Buffer.concat([parseMac(mac), Buffer.alloc(2)]) })

function linkPart(name: string): Part {
  const bytes = Buffer.alloc(16)
  bytes.write(checkLinkName(name), 'latin1')
  return { text: `"${name}"`, bytes }
}

/** What a published port is in the firewall; nothing where the relay serves one address of the host's. */
export function portElements(port: PublishedPort): Element[] {
  const { protocol, hostIp, hostPort, containerIp, containerPort, via, isDirect } = port
  const inside = [addressPart(containerIp), portPart(containerPort)]
  const family = isIPv4(containerIp) ? 4 : 6
  if (via === 'relay') return relayElements(port)
  const opened: Element = { set: `open${family}`, key: [protocolPart(protocol), ...inside] }
  if (via === 'routed') return [opened]
  const direct = isDirect ? [opened] : []
  if (isUnspecified(hostIp)) {
    return [{ set: `ports${family}_any`, key: [protocolPart(protocol), portPart(hostPort)], data: inside }, ...direct]
  }
  const key = [protocolPart(protocol), addressPart(hostIp), portPart(hostPort)]
  return [{ set: `ports${family}`, key, data: inside }, ...direct]
}

/** On one address it was asked for there, be it the gateway of an internal network. */
function relayElements({ protocol, hostIp, hostPort }: PublishedPort): Element[] {
  if (!isUnspecified(hostIp)) return []
  return [{ set: `relayed${isIPv4(hostIp) ? 4 : 6}`, key: [protocolPart(protocol), portPart(hostPort)] }]
}

export const isUnspecified = (address: string): boolean => address === '0.0.0.0' || address === '::'

export function guardElements({ hostLink, mac, addresses, icc }: GuardedLink): Element[] {
  const link = linkPart(hostLink)
  return [
    { set: 'guarded', key: [link] },
    { set: 'owned_mac', key: [link, macPart(mac)] },
    ...(icc ? [] : separateElements(link, mac)),
    ...addresses.flatMap((address): Element[] => {
      const own = [link, macPart(mac)]
      if (isIPv4(address)) return [{ set: 'owned4', key: [...own, addressPart(address)] }]
      const advertised: Element = { set: 'advertised6', key: [...own, numberPart(address)] }
      return [{ set: 'owned6', key: [...own, addressPart(address)] }, advertised]
    }),
  ]
}

/** A key of one part is not padded. */
const separateElements = (link: Part, mac: string): Element[] => [
  { set: 'separate', key: [link] },
  { set: 'separate_mac', key: [{ text: mac, bytes: parseMac(mac) }] },
]

export function linkElements({ from, to, protocol, port }: LinkedPort): Element[] {
  const key = [protocolPart(protocol), addressPart(from), addressPart(to), portPart(port)]
  return [
    { set: 'linked', key },
    { set: 'linked_frames', key },
  ]
}

const textOf = (parts: readonly Part[]): string => parts.map(({ text }) => text).join(' . ')

/** An element in nft's language: a tenth of the memory. */
export interface ElementText {
  readonly set: SetName
  readonly text: string
}

export const elementText = ({ set, key, data }: Element): ElementText => ({
  set,
  text: data ? `${textOf(key)} : ${textOf(data)}` : textOf(key),
})

const bytesOf = (parts: readonly Part[]): Buffer => Buffer.concat(parts.map(({ bytes }) => bytes))

/** Tells elements of one set from each other. */
export const elementKey = ({ set, key }: Element): string => `${set} ${textOf(key)}`

/** As the kernel is told by nfnetlink, one change a set. */
export function elementChanges(change: NftChange['change'], elements: readonly Element[]): NftChange[] {
  return [...Map.groupBy(elements, ({ set }) => set)].map(([set, ofSet]) => ({
    change,
    family: sets[set].family,
    set,
    elements: ofSet.map(({ key, data }) => ({ key: bytesOf(key), ...(data ? { data: bytesOf(data) } : {}) })),
  }))
}
