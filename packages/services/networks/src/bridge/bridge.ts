import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { codeOf, internal, type Logger } from '@berth/base'
import { formatMac, type Link, RouteRequest, RouteSocket } from '@berth/linux'
import { familyOf } from '../ipam/subnet.ts'

export interface BridgeAddress {
  /** Canonical text. */
  readonly address: string
  readonly prefixLength: number
}

export interface BridgePlan {
  readonly name: string
  /** 0: the kernel's default. */
  readonly mtu: number
  readonly addresses: readonly BridgeAddress[]
  readonly hasIPv6: boolean
}

/** A bridge as it is in the kernel. */
export interface Bridge {
  readonly index: number
  readonly name: string
}

/**
 * Finds the bridge, as an earlier process or somebody else left it, or makes it; then gives it its addresses and takes
 * others away. The waits for the kernel's lock are on a pool thread, with a socket of their own.
 */
export async function ensureBridge(plan: BridgePlan): Promise<Bridge & { readonly isNew: boolean }> {
  using socket = new RouteSocket()
  const found = socket.link(plan.name)
  if (found && found.kind !== 'bridge') throw internal(`existing interface ${plan.name} is not a bridge`)
  const link = found ?? (await createBridge(socket, plan))
  setIPv6(plan)
  const request = addressChanges(socket, link, plan.addresses)
  if (found && plan.mtu > 0 && found.mtu !== plan.mtu) request.setMtu(link.index, plan.mtu)
  if (!link.isUp) request.setUp(link.index)
  if (request.message.acknowledgements > 0) await socket.sendAsync(request, `configure ${plan.name}`)
  return { index: link.index, name: plan.name, isNew: !found }
}

async function createBridge(socket: RouteSocket, { name, mtu }: BridgePlan): Promise<Link> {
  // With an address of its own the bridge keeps it, else it changes with its ports. 02: locally administered.
  const mac = formatMac([0x02, 0x42, ...randomBytes(4)])
  const request = new RouteRequest().addBridge(name, { mac, ...(mtu > 0 ? { mtu } : {}) })
  await socket.sendAsync(request, `create the bridge ${name}`)
  const link = socket.link(name)
  if (!link) throw new Error(`the bridge ${name} vanished`)
  return link
}

/** Link-local addresses of IPv6 are the kernel's, and stay. */
function addressChanges(socket: RouteSocket, link: Link, wanted: readonly BridgeAddress[]): RouteRequest {
  const same = (a: BridgeAddress, b: BridgeAddress) => a.address === b.address && a.prefixLength === b.prefixLength
  const present = socket
    .addresses()
    .filter(({ index, address }) => index === link.index && !address.startsWith('fe80:'))
  const request = new RouteRequest()
  for (const one of present.filter((address) => !wanted.some((other) => same(address, other)))) {
    request.deleteAddress(link.index, one.address, one.prefixLength)
  }
  for (const one of wanted.filter((address) => !present.some((other) => same(address, other)))) {
    request.addAddress(link.index, one.address, one.prefixLength)
  }
  return request
}

/** Deletes bridges in one message: each costs the kernel 30 ms. What is gone already is no error. */
export async function deleteBridges(names: readonly string[]): Promise<void> {
  using socket = new RouteSocket()
  const request = new RouteRequest()
  for (const name of names.filter((one) => socket.link(one) !== undefined)) request.deleteLink(name)
  if (request.message.acknowledgements === 0) return
  await socket.sendAsync(request, `delete ${names.join(', ')}`).catch((error: unknown) => {
    if (codeOf(error) !== 'ENODEV') throw error
  })
}

/**
 * No router is believed on any bridge: a container could forge one's advertisements. A network without IPv6 has none at
 * all, or its containers would reach what listens on the host's [::].
 */
function setIPv6({ name, hasIPv6 }: BridgePlan): void {
  const directory = `/proc/sys/net/ipv6/conf/${name}`
  try {
    writeFileSync(`${directory}/accept_ra`, '0')
    writeFileSync(`${directory}/disable_ipv6`, hasIPv6 ? '0' : '1')
  } catch (error) {
    // A kernel without IPv6, or settings that are not ours to change.
    if (!['ENOENT', 'EROFS', 'EACCES'].includes(codeOf(error) ?? '')) throw error
  }
}

/** The addresses that a link of the host has, by family. */
export function linkAddresses(name: string): BridgeAddress[] {
  using socket = new RouteSocket()
  const link = socket.link(name)
  if (!link) return []
  return socket.addresses().filter(({ index, address }) => index === link.index && !address.startsWith('fe80:'))
}

export function hasLink(name: string): boolean {
  using socket = new RouteSocket()
  return socket.link(name) !== undefined
}

export interface ForwardingOptions {
  readonly bridge: string
  readonly hasIPv4: boolean
  readonly hasIPv6: boolean
  /** Ports on the host's loopback are translated. */
  readonly servesLoopback: boolean
  readonly ipForward: boolean
}

/** Lets the host forward packets, and its loopback reach containers through published ports. */
export function setForwarding(
  { bridge, hasIPv4, hasIPv6, servesLoopback, ipForward }: ForwardingOptions,
  logger: Logger,
): void {
  const settings = [
    ...(servesLoopback ? [`ipv4/conf/${bridge}/route_localnet`] : []),
    ...(hasIPv4 && ipForward ? ['ipv4/ip_forward'] : []),
    ...(hasIPv6 && ipForward ? ['ipv6/conf/default/forwarding', 'ipv6/conf/all/forwarding'] : []),
  ]
  for (const setting of settings) switchOn(`/proc/sys/net/${setting}`, logger)
}

function switchOn(path: string, logger: Logger): void {
  try {
    if (readFileSync(path, 'latin1').trim() !== '1') writeFileSync(path, '1')
  } catch (error) {
    if (!['ENOENT', 'EROFS', 'EACCES'].includes(codeOf(error) ?? '')) throw error
    logger.warn({ path }, 'a kernel setting cannot be changed: published ports or outbound traffic may not work')
  }
}

export const addressesOf = (addresses: readonly BridgeAddress[], family: 4 | 6): BridgeAddress[] =>
  addresses.filter(({ address }) => familyOf(address) === family)
