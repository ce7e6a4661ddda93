import { closeSync, openSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, internal, invalid, KeyedLock } from '@berth/base'
import {
  createNetns,
  inNetns,
  type LinkState,
  type LinkStatistics,
  pinNetns,
  RouteRequest,
  RouteSocket,
} from '@berth/linux'
import type { OpenBridge } from '../bridges.ts'
import type { Parent } from '../drivers/stacked.ts'
import type { Endpoint } from '../model.ts'
import { isNotSettable, setDefaultIPv6 } from './default-ipv6.ts'
import { parseEndpointOptions } from './endpoint-options.ts'
import { changeRoutes, type WaysOut } from './routes.ts'
import { endpointAddresses } from './take-endpoint.ts'
import { together } from './together.ts'

/** An endpoint, and the bridge that its host side joins or the link that it is stacked on. */
export interface PlannedLink {
  readonly endpoint: Endpoint & { readonly link: NonNullable<Endpoint['link']> }
  readonly bridge: Pick<OpenBridge, 'index' | 'mtu'> | undefined
  readonly parent: Parent | undefined
}

export interface LinkChange {
  readonly pin: string
  readonly add: readonly PlannedLink[]
  readonly remove: readonly NonNullable<Endpoint['link']>[]
  readonly before: WaysOut
  readonly after: WaysOut
}

const links = new KeyedLock<'links'>()

/** The kernel has one lock for all links: who waits for it should not hold all of libuv's threads. */
export const lockLinks = (): Promise<Disposable> => links.acquire('links')

/** What is done on this thread while the kernel works for a link on another. */
interface Meanwhile {
  /**
   * The loopback comes up first, for sockets that are bound inside: without a local address the kernel takes 127.0.0.11 for
   * a broadcast address, which nothing is sent from.
   */
  readonly needsLoopback: boolean
  /** Comes first. Until it is over, everything ends with this process: nobody needs to know of it. */
  readonly noting: () => void
  /** The links come to be; those inside stay down until this is over. */
  readonly connecting: () => void
  /** The links inside are set up. The loopback is, where that was asked for. */
  readonly configuring: () => void
  /** The links have their addresses, and are not sure to pass frames yet. */
  readonly settling: () => Promise<void>
}

/** Makes a namespace with a loopback and the inner ends of its links. The caller holds the links' lock. */
export async function createSandbox(host: RouteSocket, change: LinkChange, meanwhile: Meanwhile): Promise<void> {
  using stack = new DisposableStack()
  const isOn = commonIPv6(change.add)
  const { netns, result } = createNetns(() => ({
    inside: stack.use(new RouteSocket()),
    ipv6: isOn === undefined ? undefined : stack.use(setDefaultIPv6(isOn)),
  }))
  stack.defer(() => closeSync(netns))
  const connecting = () => {
    meanwhile.noting()
    pinNetns(netns, change.pin)
    meanwhile.connecting()
  }
  const sockets = { host, inside: result.inside, netns, haveIPv6Set: result.ipv6 !== undefined }
  await applyChange(sockets, change, { ...meanwhile, connecting })
}

/** Adds links to a namespace that is there, or takes them away. */
export async function changeLinks(host: RouteSocket, change: LinkChange): Promise<void> {
  using stack = new DisposableStack()
  const netns = stack.adopt(openSync(change.pin, 'r'), closeSync)
  const inside = stack.use(inNetns(netns, () => new RouteSocket()))
  stack.use(await lockLinks())
  await applyChange({ host, inside, netns }, change)
}

/**
 * Deletes every link of a namespace but its loopback. By index: who is inside may have given them other names. Those go on
 * that can; throws the first failure.
 */
export async function deleteLinks(pin: string): Promise<void> {
  using inside = inNetns(pin, () => new RouteSocket())
  using _ = await lockLinks()
  const failures: unknown[] = []
  for (const { index, name } of inside.links().filter((link) => link.index !== loopbackIndex)) {
    await deleteLink(inside, index, name).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

interface Sockets {
  readonly host: RouteSocket
  readonly inside: RouteSocket
  /** A descriptor of the namespace inside. */
  readonly netns: number
  /** New links come to be with or without IPv6, as they are to be. */
  readonly haveIPv6Set?: boolean
}

// The first link of every namespace.
const loopbackIndex = 1

async function applyChange(
  { host, inside, netns, haveIPv6Set }: Sockets,
  change: LinkChange,
  meanwhile?: Omit<Meanwhile, 'noting'>,
): Promise<void> {
  // Else nothing is waited for until what is new is noted: nobody removes a network, or takes a port, in between.
  if (change.remove.length > 0) await disconnect({ host, inside }, change.remove)
  await connectWhile({ host, inside, netns }, change, meanwhile)
  const indexOf = (name: string) => inside.linkIndex(name)
  prepare(change, haveIPv6Set)
  const request = new RouteRequest().setUp(loopbackIndex)
  for (const { endpoint } of change.add) {
    const index = indexOf(endpoint.link.inside)
    if (index === undefined) throw new Error(`${endpoint.link.inside} is not in ${change.pin}`)
    for (const { address, prefixLength } of endpointAddresses(endpoint))
      request.addAddress(index, address, prefixLength)
    request.setUp(index)
  }
  changeRoutes(request, change, indexOf)
  await together([inside.sendAsync(request, `configure ${insideNames(change.add)}`)], meanwhile?.configuring)
  await together([settle(host, change.add)], meanwhile?.settling)
}

async function connectWhile(
  { host, inside, netns }: Sockets,
  change: LinkChange,
  meanwhile?: Pick<Meanwhile, 'needsLoopback' | 'connecting'>,
): Promise<void> {
  const loopback = new RouteRequest().setUp(loopbackIndex)
  await together(
    [
      change.add.length > 0 ? connect(host, netns, change.add) : undefined,
      meanwhile?.needsLoopback ? inside.sendAsync(loopback, 'set up lo') : undefined,
    ],
    meanwhile?.connecting,
  )
}

// The kernel itself puts off what follows from a link's going up, by a second at most.
const settleMs = 1000

/**
 * Until the host's ends and their bridges pass frames: what comes before is dropped, and who sent an ARP request asks
 * again a second later. From Linux 6.8 on the question itself makes the kernel get it done. A bridge that passes none yet
 * because of a spanning tree is not waited for.
 */
async function settle(host: RouteSocket, added: LinkChange['add']): Promise<void> {
  const which = new Set(added.flatMap(({ bridge, endpoint }) => (bridge ? [endpoint.link.host, bridge.index] : [])))
  const deadline = performance.now() + settleMs
  while (!(await areSettled(host, [...which])) && performance.now() < deadline) await delay(1)
}

/** Whether links pass frames, or nothing is to be waited for. */
export async function areSettled(host: RouteSocket, which: readonly (string | number)[]): Promise<boolean> {
  if (which.length === 0) return true
  const found = await host.linkStates(which)
  const waitsForTree = ({ index }: LinkState) => found.some(({ master, isHeldBack }) => master === index && isHeldBack)
  return found.every((link) => link.isOperational || !link.isUp || waitsForTree(link))
}

/** By the end that is the host's, where there is one: a container cannot have renamed it. */
async function disconnect(
  { host, inside }: Pick<Sockets, 'host' | 'inside'>,
  gone: LinkChange['remove'],
): Promise<void> {
  for (const link of gone) {
    const [socket, name] = link.host === '' ? [inside, link.inside] : [host, link.host]
    await deleteLink(socket, name)
  }
}

async function deleteLink(socket: RouteSocket, which: string | number, name = which): Promise<void> {
  await socket.sendAsync(new RouteRequest().deleteLink(which), `delete ${name}`).catch((error: unknown) => {
    // It never came to be, or went already.
    if (codeOf(error) !== 'ENODEV' && codeOf(error) !== 'EINVAL') throw error
  })
}

async function connect(host: RouteSocket, netns: number, add: LinkChange['add']): Promise<void> {
  const request = new RouteRequest()
  for (const { endpoint, bridge, parent } of add) {
    if (parent) addStacked(request, { endpoint, parent, netns })
    if (!bridge) continue
    request.addVeth({
      name: endpoint.link.host,
      master: bridge.index,
      ...(bridge.mtu > 0 ? { mtu: bridge.mtu } : {}),
      netns,
      peerName: endpoint.link.inside,
      peerMac: endpoint.settings.MacAddress,
      hairpin: true,
    })
  }
  try {
    await host.sendAsync(request, `connect ${insideNames(add)}`)
  } catch (error) {
    throw described(error, add)
  }
}

const insideNames = (add: LinkChange['add']): string => add.map(({ endpoint }) => endpoint.link.inside).join(', ')

/** In Docker's words, where it has some. */
function described(error: unknown, add: LinkChange['add']): unknown {
  if (codeOf(error) === 'EEXIST') {
    const host = add.map(({ endpoint: { link } }) => link.host || link.inside).join(', ')
    const renaming = `error renaming interface "${host}" to "${insideNames(add)}"`
    return invalid(`failed to add interface ${host} to sandbox: ${renaming}: file exists`, error)
  }
  const refused = add.find(({ endpoint }) => !isUnicastMac(endpoint.settings.MacAddress))?.endpoint
  if (codeOf(error) !== 'EADDRNOTAVAIL' || !refused) return error
  const [name, mac] = [refused.link.host || refused.link.inside, refused.settings.MacAddress]
  return internal(
    `failed to add interface ${name} to sandbox: error setting interface "${name}" MAC to "${mac}": ` +
      'cannot assign requested address',
    error,
  )
}

/** Whether the kernel takes it for an interface's own: no group address, and not all zero. */
const isUnicastMac = (mac: string): boolean => (Number.parseInt(mac, 16) & 1) === 0 && /[1-9a-f]/i.test(mac)

function addStacked(
  request: RouteRequest,
  { endpoint, parent, netns }: Pick<PlannedLink, 'endpoint'> & { readonly parent: Parent; readonly netns: number },
): void {
  const { index, mtu, kind } = parent
  request.addStacked({ kind, parent: index, mtu, netns, name: endpoint.link.inside, mac: endpoint.settings.MacAddress })
}

const hasIPv6 = ({ settings }: PlannedLink['endpoint']): boolean => settings.GlobalIPv6Address !== ''

/** Whether the links have IPv6; undefined: some have, some not, or there is none. */
function commonIPv6(add: LinkChange['add']): boolean | undefined {
  const found = new Set(add.map(({ endpoint }) => hasIPv6(endpoint)))
  return found.size === 1 ? found.has(true) : undefined
}

/** Before the links are up: a router's advertisement is never believed, and a network without IPv6 has none. */
function prepare({ pin, add }: LinkChange, haveIPv6Set = false): void {
  const settings = add.flatMap(({ endpoint }) => linkSettings(endpoint, haveIPv6Set))
  if (settings.length === 0) return
  inNetns(pin, () => {
    for (const { path, value, isAsked } of settings) (isAsked ? setAsked : setOptional)(path, value)
  })
}

interface LinkSetting {
  readonly path: string
  readonly value: string
  /** By the user. */
  readonly isAsked: boolean
}

function linkSettings(endpoint: PlannedLink['endpoint'], hasIPv6Set: boolean): LinkSetting[] {
  const { inside } = endpoint.link
  const own = (key: string, value: string) => {
    return { path: `/proc/sys/net/ipv6/conf/${inside}/${key}`, value, isAsked: false }
  }
  const { sysctls } = parseEndpointOptions(endpoint.settings.DriverOpts ?? {})
  return [
    ...(hasIPv6(endpoint) ? [own('accept_ra', '0'), own('accept_redirects', '0')] : []),
    ...(hasIPv6Set ? [] : [own('disable_ipv6', hasIPv6(endpoint) ? '0' : '1')]),
    ...sysctls.map(({ path, value }) => ({ path: path(inside), value, isAsked: true })),
  ]
}

function setOptional(path: string, value: string): void {
  try {
    writeFileSync(path, value)
  } catch (error) {
    if (!isNotSettable(error)) throw error
  }
}

function setAsked(path: string, value: string): void {
  try {
    writeFileSync(path, value)
  } catch (error) {
    throw invalid(`failed to set sysctl ${path.slice('/proc/sys/'.length).replaceAll('/', '.')}=${value}`, error)
  }
}

/** The counters of the links in a namespace, as the container sees them, by name; not the loopback's. */
export function readCounters(pin: string): Map<string, LinkStatistics> {
  const found = inNetns(pin, () => {
    using socket = new RouteSocket()
    return socket.links()
  })
  const own = found.filter(({ name, kind }) => ['veth', 'macvlan', 'ipvlan'].includes(kind) && name !== 'lo')
  return new Map(own.map(({ name, statistics }) => [name, statistics]))
}
