import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { after, afterEach, beforeEach, test } from 'node:test'
import { codeOf, type ContainerId, noDescriptors, silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { decodeNetworkCreate, type PortMap } from '@berth/engine-api'
import { inNetns, listenSocket, loadRuleset, RouteRequest, RouteSocket, unpinNetns } from '@berth/linux'
import { pinnedNetns } from '@berth/testing'
import { openFirewall } from '../firewall/firewall.ts'
import type { Attachment, Networks } from '../networks.ts'
import { type NetworksOptions, openNetworks } from '../open-networks.ts'
import { buildAttachRequest } from '../testing/attach-request.ts'
import { KeptDescriptors } from '../testing/kept-descriptors.ts'
import { output } from '../testing/use-networks.ts'
import { PublishedPorts } from './published-ports.ts'
import { Relay } from './relay.ts'

const host = new RouteSocket()
host.send(new RouteRequest().setUp(1), 'set up lo')
after(() => host[Symbol.dispose]())

const root = mkdtempSync(join(tmpdir(), 'berth-ports-'))
after(() => rmSync(root, { recursive: true }))
const database = openDatabase(':memory:')
after(() => database[Symbol.dispose]())

let networks: Networks
const open = (options: Partial<NetworksOptions> = {}) =>
  openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents(), ...options })
const close = async () => {
  await networks.reconcile([])
  await networks[Symbol.asyncDispose]()
}
beforeEach(async () => {
  networks = await open()
})
afterEach(close)

async function publish(portBindings: PortMap): Promise<Attachment & { readonly containerId: ContainerId }> {
  const request = buildAttachRequest(root, { portBindings })
  return { containerId: request.containerId, ...(await networks.attach(request)) }
}

const bind = (HostIp: string, HostPort: string) => [{ HostIp, HostPort }]

async function ask(address: string, port: number, say = ''): Promise<string> {
  const socket = connect({ host: address, port, allowHalfOpen: true })
  socket.setTimeout(3000, () => socket.destroy(new Error('timeout')))
  socket.end(say)
  return await text(socket)
}

/** Answers with the peer's address and what it said, once it has said all: opened within the call. */
const serve = (port: number): Server =>
  createServer({ allowHalfOpen: true }, (socket) => {
    const from = (socket.remoteAddress ?? '').replace('::ffff:', '')
    let said = ''
    socket.setEncoding('latin1').on('data', (data: string) => (said += data))
    socket.once('end', () => socket.end(`${from} ${said}`))
  }).listen(port)

const gateway = '172.17.0.1'

/** An IPv6 address of the host's loopback; the kernel leads to it a little later than it has it. */
async function addAddress(address: string): Promise<void> {
  host.send(new RouteRequest().addAddress(1, address, 128), 'address lo')
  const refusal = () => ask(address, 1).then(String, codeOf)
  for (const deadline = Date.now() + 5000; (await refusal()) !== 'ECONNREFUSED' && Date.now() < deadline;);
}

test('a port is reached by every address of the host: where no translation leads, by the relay', async () => {
  const { netnsPath = '' } = await publish({ '80/tcp': bind('', '18080') })
  await using _server = inNetns(netnsPath, () => serve(80))
  await addAddress('2001:db8::1')
  const answers = await Promise.all(['127.0.0.1', gateway, '::1', '2001:db8::1'].map((ip) => ask(ip, 18080, 'hello')))
  assert.deepEqual(answers, Array(4).fill(`${gateway} hello`))
})

test('the relay carries much both ways, each end for itself, and ends what the other side resets', async () => {
  const { netnsPath = '' } = await publish({ '80/tcp': bind('', '18081'), '81/tcp': bind('', '18082') })
  const resetting = () => createServer((socket) => socket.resetAndDestroy()).listen(81)
  await using _server = inNetns(netnsPath, () => serve(80))
  await using _resetting = inNetns(netnsPath, resetting)
  const much = 'x'.repeat(3_000_000)
  assert.equal((await ask('::1', 18081, much)).length, `${gateway} `.length + much.length)
  await assert.rejects(ask('::1', 18082), { code: 'ECONNRESET' })
  const { promise, resolve } = Promise.withResolvers<void>()
  const gone = connect({ host: '::1', port: 18081 })
    .on('close', resolve)
    .on('error', () => {})
  await once(gone, 'connect')
  gone.resetAndDestroy()
  await promise
})

test('the relay refuses for a container that refuses, and loses its connections with the port', async () => {
  const { netnsPath = '', containerId } = await publish({ '80/tcp': bind('', '18083') })
  await assert.rejects(ask('::1', 18083), { code: 'ECONNRESET' })
  await using _server = inNetns(netnsPath, () => createServer(() => {}).listen(80))
  const socket = connect({ host: '::1', port: 18083 })
  await once(socket, 'connect')
  const closed = Promise.withResolvers<void>()
  socket.on('error', () => {}).once('close', closed.resolve)
  await networks.detach(containerId)
  await closed.promise
  await assert.rejects(ask('::1', 18083), { code: 'ECONNREFUSED' })
})

test('a relayed connection goes on where it was with who takes over, and one that was half kept is closed', async () => {
  await close()
  using descriptors = new KeptDescriptors()
  networks = await open({ descriptors })
  const { netnsPath = '', containerId } = await publish({ '80/tcp': bind('::1', '18089') })
  await using _server = inNetns(netnsPath, () => serve(80))
  const [whole, half] = [1, 2].map(() => connect({ host: '::1', port: 18089, allowHalfOpen: true }))
  assert.ok(whole && half)
  for (const socket of [whole, half])
    await once(
      socket.on('error', () => {}),
      'connect',
    )
  whole.write('before, ')
  half.write('before')
  await until(() => partsOf(descriptors).length === 8)
  const [lost = ''] = partsOf(descriptors).filter((name) => name.endsWith('-1/down'))
  descriptors.drop(lost)
  await networks[Symbol.asyncDispose]()
  whole.end('between')
  networks = await open({ descriptors })
  assert.equal(await text(whole), `${gateway} before, between`)
  await until(() => partsOf(descriptors).length === 0)
  assert.equal(await text(half).catch(() => ''), '')
  await networks.detach(containerId)
  assert.deepEqual(descriptors.left(), [])
})

const partsOf = (descriptors: KeptDescriptors): string[] =>
  descriptors.left().filter((name) => name.startsWith('relay/'))

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !holds(); await delay(5)) assert.ok(Date.now() < deadline, `${holds}`)
}

function echo(from: (port: number, address: string) => unknown = (_, address) => address): UdpSocket {
  const socket = createSocket('udp4')
  socket.on('message', (data, { port, address }) => socket.send(`${from(port, address)} ${data}`, port, address))
  // bind() with an address would look it up first, and open the socket elsewhere.
  return socket.bind({ fd: listenSocket({ protocol: 'udp', address: '0.0.0.0', port: 53 }).fd })
}

async function askDatagram(address: string, port: number, say: string): Promise<string> {
  await using socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  // Connected: an answer from another address is not heard.
  socket.connect(port, address)
  await once(socket, 'connect')
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(3000) })
  socket.send(say)
  const [message] = await answer.catch((cause: unknown) => {
    throw new Error(`${address} has not answered '${say}'`, { cause })
  })
  return String(message)
}

test('datagrams are relayed too, and answered from the address that was asked', async () => {
  const { netnsPath = '' } = await publish({ '53/udp': bind('', '10053') })
  await using _server = inNetns(netnsPath, () => echo())
  await addAddress('2001:db8::2')
  for (const address of ['127.0.0.1', gateway, '::1', '2001:db8::2']) {
    assert.equal(await askDatagram(address, 10053, 'hi'), `${gateway} hi`)
    assert.equal(await askDatagram(address, 10053, 'again'), `${gateway} again`)
  }
})

test('publish() has datagrams translated that follow others of before it, and not to whom the port was before', async () => {
  await using client = createSocket('udp4').bind(40_054)
  const say = (text: string) => new Promise<void>((resolve) => client.send(text, 10_054, gateway, () => resolve()))
  const ask = async () => {
    const answer = once(client, 'message', { signal: AbortSignal.timeout(3000) })
    await say('hi')
    return String((await answer)[0])
  }
  await once(client, 'listening')
  for (const before of ['nobody', 'another']) {
    await say(before)
    const { containerId, netnsPath = '' } = await publish({ '53/udp': bind('', '10054') })
    await using _server = inNetns(netnsPath, () => echo((port) => port))
    assert.equal(await ask(), '40054 hi', before)
    await networks.detach(containerId)
  }
})

test('the relay serves the IPv4 addresses as well while somebody has flushed the rules', async () => {
  const { netnsPath = '' } = await publish({ '80/tcp': bind('127.0.0.1', '18084') })
  await using _server = inNetns(netnsPath, () => serve(80))
  await loadRuleset('flush ruleset')
  const answer = ask('127.0.0.1', 18084, 'hello').catch((error: unknown) => {
    // The rules were back before its end: the kernel takes it up as a connection to translate.
    assert.equal(codeOf(error), 'ECONNRESET')
    return ask('127.0.0.1', 18084, 'hello')
  })
  assert.equal(await answer, `${gateway} hello`)
})

test('publish() finds a port taken by a process that listens on one family only, and in Docker’s words', async () => {
  await using server = createServer().listen({ host: '::', port: 18085, ipv6Only: true })
  await once(server, 'listening')
  await assert.rejects(publish({ '80/tcp': bind('', '18085') }), {
    message: /failed to bind host port for 0\.0\.0\.0:18085:172\.17\.0\.\d+:80\/tcp: address already in use$/,
  })
  await publish({ '80/tcp': bind('0.0.0.0', '18085') })
  await publish({ '80/tcp': bind('0.0.0.0', '18086'), '81/tcp': bind('::', '18086') })
  await assert.rejects(publish({ '80/tcp': bind('::1', '18086') }), /Bind for :::18086 failed: port is already/)
  await assert.rejects(publish({ '80/tcp': bind('192.0.2.9', '1') }), /cannot assign requested address$/)
})

test('publish() names the address that has the port already, as Docker does', async () => {
  await publish({ '80/tcp': [...bind('127.0.0.1', '18095'), ...bind('::1', '18096'), ...bind('', '18097')] })
  const cases = [
    ['', '18095', '127.0.0.1:18095'],
    ['', '18096', '::1:18096'],
    ['::', '18096', '::1:18096'],
    ['127.0.0.1', '18097', '0.0.0.0:18097'],
    ['::1', '18097', ':::18097'],
  ] as const
  for (const [hostIp, hostPort, taken] of cases) {
    await assert.rejects(publish({ '80/tcp': bind(hostIp, hostPort) }), (error: Error) =>
      error.message.endsWith(`: Bind for ${taken} failed: port is already allocated`),
    )
  }
  await publish({ '80/tcp': bind('127.0.0.2', '18095') })
})

/** The supervisor does not read, or this process has no descriptors left to ask it with. */
class Unsettled extends KeptDescriptors {
  readonly #fails: boolean

  constructor(fails: boolean) {
    super()
    this.#fails = fails
  }

  override async settle(signal?: AbortSignal): Promise<void> {
    if (this.#fails) throw new Error('pipe: too many open files')
    await delay(60_000, undefined, { signal })
  }
}

test('attach() and detach() are done where nobody says that the sockets are closed, and it is told', async () => {
  await close()
  for (const fails of [true, false]) {
    using descriptors = new Unsettled(fails)
    const told: string[] = []
    const logger = { ...silentLogger, warn: (_: object, message: string) => void told.push(message) }
    networks = await open({ descriptors, logger })
    const { containerId } = await publish({ '80/tcp': bind('', '18091') })
    await networks.detach(containerId)
    assert.equal(networks.attachment(containerId), undefined)
    assert.deepEqual(told, ['ports that were given back may be in use for a while'])
    await publish({ '80/tcp': bind('', '18092') })
    await close()
  }
  networks = await open()
})

test('publish() chooses the same free number for both families, and another each time', async () => {
  const choose = async () => {
    const attachment = await publish({ '80/tcp': bind('', '') })
    await networks.detach(attachment.containerId)
    return (attachment.ports['80/tcp'] ?? []).map(({ HostPort }) => HostPort)
  }
  const [first, second] = [await choose(), await choose()]
  assert.equal(new Set(first).size, 1)
  assert.equal(first.length, 2)
  assert.notEqual(first[0], second[0])
})

test('an internal network reaches no published port, not at its own gateway either, be it translated or relayed', async () => {
  const config = [{ Subnet: '10.7.0.0/24' }, { Subnet: 'fd07::/64' }]
  const inner = { Name: 'inner', Internal: true, EnableIPv6: true, IPAM: { Config: config } }
  await networks.create(decodeNetworkCreate(inner, 51))
  const { netnsPath = '' } = await publish({ '80/tcp': bind('', '18096') })
  await using _server = inNetns(netnsPath, () => serve(80))
  const asker = await networks.attach(buildAttachRequest(root, { mode: 'inner' }))
  const askFrom = (path: string, address: string) =>
    output('nsenter', [`--net=${path}`, 'busybox', 'nc', '-w', '1', address, '18096'])
  assert.match(await askFrom(netnsPath, gateway), new RegExp(`^${gateway} `))
  for (const address of ['10.7.0.1', 'fd07::1']) {
    assert.equal(await askFrom(asker.netnsPath ?? '', address), 'nc: timed out\n')
  }
})

test('with behindHostFirewall the host’s own filter judges published ports, and all still works', async () => {
  await close()
  networks = await open({ publishing: { behindHostFirewall: true } })
  const { netnsPath = '' } = await publish({ '80/tcp': bind('', '18087'), '53/udp': bind('', '10054') })
  await using _server = inNetns(netnsPath, () => serve(80))
  await using _echo = inNetns(netnsPath, () => echo())
  assert.equal(await ask('127.0.0.1', 18087, 'hello'), `${gateway} hello`)
  assert.equal(await askDatagram(gateway, 10054, 'hi'), `${gateway} hi`)
  await loadRuleset(`table inet host {
    chain input { type filter hook input priority filter; policy accept; tcp dport 18087 reject with tcp reset
    }
  }`)
  await assert.rejects(ask(gateway, 18087), { code: 'ECONNREFUSED' })
  await loadRuleset('delete table inet host')
})

const gatewayPort = { '80/tcp': bind('', '18090'), '53/udp': bind('', '10055') }

test('without rules of its own for IPv4 the engine relays published ports, and others’ filters judge the rest', async () => {
  await close()
  networks = await open({ publishing: { iptables: false } })
  const { netnsPath = '' } = await publish(gatewayPort)
  await using _server = inNetns(netnsPath, () => serve(80))
  await using _echo = inNetns(netnsPath, () => echo())
  for (const address of ['127.0.0.1', gateway, '::1']) {
    assert.equal(await ask(address, 18090, 'hello'), `${gateway} hello`)
  }
  assert.equal(await askDatagram('127.0.0.1', 10055, 'hi'), `${gateway} hi`)
  const rules = await output('nft', ['-t', 'list', 'table', 'inet', 'berth'])
  assert.doesNotMatch(rules, /ip saddr 172/)
})

test('without rules of its own for both families the engine makes no table, and takes away the one that it made', async () => {
  assert.match(await output('nft', ['list', 'tables']), /berth/)
  await close()
  networks = await open({ publishing: { iptables: false, ip6tables: false } })
  const { netnsPath = '' } = await publish(gatewayPort)
  await using _server = inNetns(netnsPath, () => serve(80))
  assert.equal(await output('nft', ['list', 'tables']), '')
  assert.equal(await ask('127.0.0.1', 18090, 'hello'), `${gateway} hello`)
})

test('without the relay a port is where the kernel translates it, and nowhere else', async () => {
  await close()
  networks = await open({ publishing: { userlandProxy: false } })
  const { netnsPath = '', ports } = await publish(gatewayPort)
  await using _server = inNetns(netnsPath, () => serve(80))
  assert.deepEqual(ports['80/tcp'], [{ HostIp: '0.0.0.0', HostPort: '18090' }])
  assert.equal(await ask('127.0.0.1', 18090, 'hello'), `${gateway} hello`)
  await assert.rejects(ask('::1', 18090), { code: 'ECONNREFUSED' })
})

test('a port of a container with IPv6 is translated, and on ::1 relayed', async () => {
  await close()
  const pin = join(root, 'six')
  using inside = pinnedNetns(pin)
  const netns = { bridge: 'six0', hostLink: 'veth6' }
  host.send(new RouteRequest().addBridge(netns.bridge), 'bridge')
  const index = host.link(netns.bridge)?.index ?? 0
  host.send(new RouteRequest().addAddress(index, 'fd00:6::1', 64).setUp(index), 'address')
  writeFileSync('/proc/sys/net/ipv6/conf/all/forwarding', '1')
  const fd = openSync(pin, 'r')
  const veth = { name: netns.hostLink, master: index, mtu: 1500, netns: fd, peerName: 'eth0', hairpin: true }
  host.send(new RouteRequest().addVeth({ ...veth, peerMac: '02:42:00:00:00:06' }), 'veth')
  closeSync(fd)
  const eth0 = inside.link('eth0')?.index ?? 0
  inside.send(new RouteRequest().setUp(1).addAddress(eth0, 'fd00:6::2', 64).setUp(eth0), 'inside')
  inside.send(new RouteRequest().addDefaultRoute('fd00:6::1'), 'route')
  const relay = new Relay({ store: noDescriptors, report: () => {} })
  const ports = new PublishedPorts({ logger: silentLogger, store: noDescriptors, relay })
  const wanted = { protocol: 'tcp', from: 18088, to: 18088, containerPort: 80, hostIps: ['0.0.0.0', '::'] } as const
  const published = ports.publish([wanted], { ipv6: 'fd00:6::2' })
  const firewall = await openFirewall({
    logger: silentLogger,
    networks: [
      {
        bridge: netns.bridge,
        ipv6: { subnets: ['fd00:6::/64'], gatewayMode: 'nat', masquerade: true },
        icc: true,
        isInternal: false,
      },
    ],
    guards: [{ hostLink: netns.hostLink, mac: '02:42:00:00:00:06', addresses: ['fd00:6::2'], icc: true }],
    ports: published,
  })
  await addAddress('2001:db8::3')
  {
    await using _server = inNetns(pin, () => serve(80))
    // Until both ends have made sure that their addresses are nobody else's.
    for (const deadline = Date.now() + 5000; Date.now() < deadline;) {
      if (await ask('fd00:6::2', 80, 'x').catch(() => '')) break
    }
    assert.equal(await ask('2001:db8::3', 18088, 'hello'), '2001:db8::3 hello')
    assert.equal(await ask('::1', 18088, 'hello'), 'fd00:6::1 hello')
  }
  ports.release(published)
  ports[Symbol.dispose]()
  await firewall.remove()
  await firewall[Symbol.asyncDispose]()
  await unpinNetns(pin)
  host.send(new RouteRequest().deleteLink(netns.bridge), 'delete')
  networks = await open()
})
