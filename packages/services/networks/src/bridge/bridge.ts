import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { codeOf, invalid, type Logger, notImplemented, unavailable } from '@berth/base'
import { isIPv4 } from 'node:net'
import { formatMac, type Link, RouteRequest, type RouteSocket } from '@berth/linux'
import { chooseSubnet, firstAddress, lastAddress, parseCidr, type Subnet, toNumber, toText } from '../ipam/subnet.ts'

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
 * Finds the bridge as an earlier process left it, or makes it. A bridge that is there keeps its address unless `bip`
 * says otherwise; a new one gets a subnet that overlaps none of the host's routes.
 */
export function ensureBridge(socket: RouteSocket, options: BridgeOptions): Bridge {
  if (options.name === 'none') throw notImplemented('an engine without the default bridge is not available yet')
  const wanted = options.bip === undefined ? undefined : parseBip(options.bip)
  const link = socket.link(options.name) ?? createBridge(socket, options)
  if (link.kind !== 'bridge') throw unavailable(`${options.name} is a ${link.kind || 'physical'} link, not a bridge`)
  const { address, subnet } = ensureAddress(socket, link, { ...options, wanted })
  if (!link.isUp) socket.send(new RouteRequest().setUp(link.index), `set up ${options.name}`)
  return { index: link.index, name: options.name, subnet, gateway: address, mtu: options.mtu }
}

interface BridgeAddress {
  readonly address: number
  readonly subnet: Subnet
}

function createBridge(socket: RouteSocket, { name, mtu }: BridgeOptions): Link {
  // With an address of its own the bridge keeps it, else it changes with its ports. 02: locally administered.
  const mac = formatMac([0x02, 0x42, ...randomBytes(4)])
  socket.send(new RouteRequest().addBridge(name, { mac, mtu }), `create the bridge ${name}`)
  const link = socket.link(name)
  if (!link) throw new Error(`the bridge ${name} vanished`)
  disableIPv6(name)
  return link
}

/** The network has none: else a container could forge router advertisements, and reach what listens on the host's [::]. */
function disableIPv6(name: string): void {
  const directory = `/proc/sys/net/ipv6/conf/${name}`
  try {
    writeFileSync(`${directory}/accept_ra`, '0')
    writeFileSync(`${directory}/disable_ipv6`, '1')
  } catch (error) {
    // A kernel without IPv6, or settings that are not ours to change.
    if (!['ENOENT', 'EROFS', 'EACCES'].includes(codeOf(error) ?? '')) throw error
  }
}

interface AddressWish extends BridgeOptions {
  readonly wanted: BridgeAddress | undefined
}

function ensureAddress(socket: RouteSocket, link: Link, { name, wanted, preferred }: AddressWish): BridgeAddress {
  const present = socket
    .addresses()
    .filter(({ index, address }) => index === link.index && isIPv4(address))
    .map(({ address, prefixLength }) => parseCidr(`${address}/${prefixLength}`))
  const chosen = wanted ?? present[0] ?? chooseAddress(socket, link, preferred)
  const isChosen = (other: BridgeAddress) =>
    other.address === chosen.address && other.subnet.prefixLength === chosen.subnet.prefixLength
  const request = new RouteRequest()
  for (const other of present.filter((one) => !isChosen(one))) {
    request.deleteAddress(link.index, toText(other.address), other.subnet.prefixLength)
  }
  if (!present.some(isChosen)) request.addAddress(link.index, toText(chosen.address), chosen.subnet.prefixLength)
  if (request.message.acknowledgements > 0) socket.send(request, `give ${name} its address`)
  return chosen
}

function parseBip(bip: string): BridgeAddress {
  const parsed = parseCidr(bip)
  const { address, subnet } = parsed
  if (address >= firstAddress(subnet) && address <= lastAddress(subnet)) return parsed
  throw invalid(`invalid bridge address ${bip}: want the address of a host, not of the network`)
}

function chooseAddress(socket: RouteSocket, link: Link, preferred: Subnet | undefined): BridgeAddress {
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
