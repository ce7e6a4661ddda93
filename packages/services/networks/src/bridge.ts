import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { codeOf, type Logger, unavailable } from '@berth/base'
import { isIPv4 } from 'node:net'
import { formatMac, type Link, RouteRequest, type RouteSocket } from '@berth/linux'
import { chooseSubnet, firstAddress, parseCidr, type Subnet, toNumber, toText } from './subnet.ts'

export interface BridgeOptions {
  readonly name: string
  /** The bridge's address in CIDR form; undefined: the engine chooses. */
  readonly bip?: string | undefined
  readonly mtu: number
  /** The subnet it had before, taken again where it is free. */
  readonly preferred?: Subnet | undefined
}

/** The default bridge as it is in the kernel. */
export interface Bridge {
  readonly index: number
  readonly name: string
  readonly subnet: Subnet
  /** Its own address. */
  readonly gateway: number
  readonly mtu: number
}

/**
 * Finds the bridge as an earlier process left it, or makes it. A bridge in use keeps its address unless `bip` says
 * otherwise; a new one gets a subnet that overlaps none of the host's routes.
 */
export function ensureBridge(socket: RouteSocket, options: BridgeOptions): Bridge {
  const link = socket.link(options.name) ?? createBridge(socket, options)
  if (link.kind !== 'bridge') throw unavailable(`${options.name} is a ${link.kind || 'physical'} link, not a bridge`)
  const { address, subnet } = ensureAddress(socket, link, options)
  if (!link.isUp) socket.send(new RouteRequest().setUp(link.index), `set up ${options.name}`)
  return { index: link.index, name: options.name, subnet, gateway: address, mtu: options.mtu }
}

function createBridge(socket: RouteSocket, { name, mtu }: BridgeOptions): Link {
  // With an address of its own the bridge keeps it, else it changes with its ports. 02: locally administered.
  const mac = formatMac([0x02, 0x42, ...randomBytes(4)])
  socket.send(new RouteRequest().addBridge(name, { mac, mtu }), `create the bridge ${name}`)
  const link = socket.link(name)
  if (!link) throw new Error(`the bridge ${name} vanished`)
  return link
}

function ensureAddress(socket: RouteSocket, link: Link, { name, bip, preferred }: BridgeOptions) {
  const present = socket
    .addresses()
    .filter(({ index, address }) => index === link.index && isIPv4(address))
    .map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`))
  const wanted = bip === undefined ? present[0] : parseCidr(bip)
  const chosen = wanted ?? chooseAddress(socket, link, preferred)
  if (present.some(({ address }) => address === chosen.address)) return chosen
  const request = new RouteRequest().addAddress(link.index, toText(chosen.address), chosen.subnet.prefixLength)
  socket.send(request, `give ${name} its address`)
  return chosen
}

function chooseAddress(socket: RouteSocket, link: Link, preferred: Subnet | undefined) {
  const taken = socket
    .routes()
    .filter(({ link: other, destination }) => other !== link.index && destination !== undefined && isIPv4(destination))
    .map(({ destination = '', prefixLength }) => ({ base: toNumber(destination), prefixLength }))
  const subnet = chooseSubnet(taken, preferred)
  if (!subnet)
    throw unavailable('all predefined address pools overlap with the host: give the bridge an address (--bip)')
  return { address: firstAddress(subnet), subnet }
}

/** Lets the host forward packets, and its loopback reach containers through published ports. */
export function setSysctls(bridge: Bridge, options: { readonly ipForward: boolean }, logger: Logger): void {
  const settings = [`conf/${bridge.name}/route_localnet`, ...(options.ipForward ? ['ip_forward'] : [])]
  for (const setting of settings) {
    const path = `/proc/sys/net/ipv4/${setting}`
    try {
      if (readFileSync(path, 'latin1').trim() !== '1') writeFileSync(path, '1')
    } catch (error) {
      if (codeOf(error) !== 'EROFS' && codeOf(error) !== 'EACCES') throw error
      logger.warn({ path }, 'a kernel setting cannot be changed: published ports or outbound traffic may not work')
    }
  }
}
