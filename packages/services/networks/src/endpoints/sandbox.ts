import { closeSync, openSync, writeFileSync } from 'node:fs'
import { codeOf, KeyedLock } from '@berth/base'
import { inNetns, type LinkStatistics, pinNetns, RouteRequest, RouteSocket } from '@berth/linux'
import type { Bridge } from '../bridge/bridge.ts'
import { toText } from '../ipam/subnet.ts'

export const insideName = 'eth0'

export interface EndpointPlan {
  readonly pin: string
  /** Name of the end on the bridge. */
  readonly hostLink: string
  readonly address: string
  readonly mac: string
}

// The kernel has one lock for all links: who waits for it should not hold all of libuv's threads.
const links = new KeyedLock<'links'>()

/** Makes a namespace with a loopback and nothing else. */
export async function createLoopbackSandbox(pin: string): Promise<void> {
  using inside = pinNetns(pin, () => new RouteSocket())
  using _ = await links.acquire('links')
  await inside.sendAsync(new RouteRequest().setUp(loopbackIndex), 'set up lo')
}

// The first link of every namespace.
const loopbackIndex = 1

/** Makes a namespace with a loopback and one end of a veth pair; the other end joins the bridge. */
export async function createBridgeSandbox(host: RouteSocket, bridge: Bridge, plan: EndpointPlan): Promise<void> {
  using inside = pinNetns(plan.pin, () => new RouteSocket())
  using _ = await links.acquire('links')
  await connect(host, bridge, plan)
  const index = inside.link(insideName)?.index
  if (index === undefined) throw new Error(`${insideName} is not in ${plan.pin}`)
  disableIPv6(plan.pin)
  const request = new RouteRequest()
    .setUp(loopbackIndex)
    .addAddress(index, plan.address, bridge.subnet.prefixLength)
    .setUp(index)
    .addDefaultRoute(toText(bridge.gateway))
  await inside.sendAsync(request, `configure ${insideName}`)
}

async function connect(host: RouteSocket, bridge: Bridge, plan: EndpointPlan): Promise<void> {
  const netns = openSync(plan.pin, 'r')
  try {
    const request = new RouteRequest().addVeth({
      name: plan.hostLink,
      master: bridge.index,
      mtu: bridge.mtu,
      netns,
      peerName: insideName,
      peerMac: plan.mac,
      hairpin: true,
    })
    await host.sendAsync(request, `connect ${plan.hostLink} to ${bridge.name}`)
  } finally {
    closeSync(netns)
  }
}

/** Before the link is up: a network without IPv6 must not take a router's advertisement for one. */
function disableIPv6(pin: string): void {
  try {
    inNetns(pin, () => writeFileSync(`/proc/sys/net/ipv6/conf/${insideName}/disable_ipv6`, '1'))
  } catch (error) {
    // ENOENT: the kernel has no IPv6. EROFS: this engine itself runs in a container, which decides.
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EROFS') throw error
  }
}

/** The counters of the links in a namespace, as the container sees them, by name; not the loopback's. */
export function readCounters(pin: string): Map<string, LinkStatistics> {
  const found = inNetns(pin, () => {
    using socket = new RouteSocket()
    return socket.links()
  })
  return new Map(found.filter(({ name }) => name.startsWith('eth')).map(({ name, statistics }) => [name, statistics]))
}
