import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, afterEach, beforeEach, test } from 'node:test'
import { type ContainerId, silentLogger } from '@berth/base'
import { type Database, openDatabase } from '@berth/database'
import { createEvents } from '@berth/events'
import { inNetns, loadRuleset, RouteRequest, RouteSocket, unmount } from '@berth/linux'
import { mountPoints, mountsSince } from '@berth/testing'
import type { AttachRequest, Networks } from './networks.ts'
import { type NetworksOptions, openNetworks } from './open-networks.ts'
import { buildAttachRequest } from './testing/attach-request.ts'

const host = new RouteSocket()
// A new network namespace has its loopback down.
host.send(new RouteRequest().setUp(1), 'set up lo')
after(() => host[Symbol.dispose]())

let root: string
let database: Database
let networks: Networks
let mountsBefore: readonly string[]

beforeEach(async () => {
  mountsBefore = mountPoints()
  root = mkdtempSync(join(tmpdir(), 'berth-networks-'))
  database = openDatabase(':memory:')
  networks = await open()
})

afterEach(async () => {
  await networks.reconcile([])
  await networks[Symbol.asyncDispose]()
  database[Symbol.dispose]()
  assert.deepEqual(mountsSince(mountsBefore), [])
  assert.deepEqual(readdirSync(join(root, 'netns')), [])
  assert.deepEqual(readdirSync(join(root, 'networks')), [])
  rmSync(root, { recursive: true })
  // The kernel removes a dropped namespace's links a little later.
  for (const deadline = Date.now() + 5000; linkNames().length > 1 && Date.now() < deadline;) await turn()
  assert.deepEqual(linkNames(), ['lo'])
  assert.equal(await output('nft', ['list', 'ruleset']), '')
})

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))
const linkNames = (): string[] => host.links().map(({ name }) => name)

const open = (options: Partial<NetworksOptions> = {}): Promise<Networks> =>
  openNetworks({ database, runRoot: root, logger: silentLogger, events: createEvents(), ...options })

const request = (wanted: Partial<AttachRequest> = {}): AttachRequest =>
  buildAttachRequest(root, { name: 'some', dns: ['9.9.9.9'], ...wanted })

async function output(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)])
  return out + err
}

/** What a server answers, asked from inside a namespace. */
const askFrom = (netns: string | undefined, address: string, port: number): Promise<string> =>
  output('nsenter', [`--net=${netns}`, 'timeout', '3', 'bash', '-c', `cat < /dev/tcp/${address}/${port}`])

async function ask(address: string, port: number): Promise<string> {
  const socket = connect(port, address)
  socket.setTimeout(3000, () => socket.destroy(new Error('timeout')))
  return await text(socket)
}

/** A server on all addresses that answers with the peer's; without a host, listen() opens the socket within the call. */
function serve(port: number): Server {
  return createServer((socket) => socket.end((socket.remoteAddress ?? '').replace('::ffff:', ''))).listen(port)
}

test('attach() connects a container and the host', async () => {
  const attachment = await networks.attach(request())
  const endpoint = attachment.endpoints['bridge']
  assert.deepEqual(
    [endpoint?.IPAddress, endpoint?.IPPrefixLen, endpoint?.Gateway, endpoint?.MacAddress],
    ['172.17.0.2', 16, '172.17.0.1', '02:42:ac:11:00:02'],
  )
  assert.equal(attachment.sandboxKey, join(root, 'netns', attachment.sandboxId.slice(0, 12)))
  await using _inside = inNetns(attachment.netnsPath ?? '', () => serve(80))
  await using outside = serve(0)
  await once(outside, 'listening')
  assert.equal(await ask('172.17.0.2', 80), '172.17.0.1')
  const { port } = outside.address() as { port: number }
  assert.equal(await askFrom(attachment.netnsPath, '172.17.0.1', port), '172.17.0.2')
})

test('attach() masquerades what leaves the host and switches forwarding on', async () => {
  await networks.attach(request())
  assert.match(
    await output('nft', ['list', 'table', 'inet', 'berth']),
    /ip saddr 172\.17\.0\.0\/16 oifname != "berth0" masquerade/,
  )
  assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'latin1').trim(), '1')
  const ipv6 = (setting: string) => readFileSync(`/proc/sys/net/ipv6/conf/berth0/${setting}`, 'latin1').trim()
  assert.deepEqual([ipv6('accept_ra'), ipv6('disable_ipv6')], ['0', '1'])
})

test('attach() gives an interface without IPv6 and with the counters that counters() tells', async () => {
  const wanted = request()
  const { netnsPath = '' } = await networks.attach(wanted)
  const disabled = (link: string) => readFileSync(`/proc/sys/net/ipv6/conf/${link}/disable_ipv6`, 'latin1').trim()
  assert.deepEqual(
    inNetns(netnsPath, () => ['eth0', 'lo', 'default'].map(disabled)),
    ['1', '0', '0'],
  )
  await using _server = inNetns(netnsPath, () => serve(80))
  await ask('172.17.0.2', 80)
  const { eth0 } = await networks.counters(wanted.containerId)
  assert.ok(eth0 && eth0.rx_packets >= 4 && eth0.rx_bytes > 200 && eth0.tx_packets >= 3)
  const peer = host.link(networks.attachment(wanted.containerId)?.interfaces[0]?.host ?? '')?.statistics
  // The bridge may have sent more meanwhile: multicast group reports.
  assert.ok(peer && peer.txBytes >= eth0.rx_bytes && peer.rxBytes >= eth0.tx_bytes)
})

test('attach() publishes ports to the host, its loopback, and the container itself', async () => {
  const wanted = request({
    portBindings: {
      '80/tcp': [
        { HostIp: '', HostPort: '18080' },
        { HostIp: '127.0.0.1', HostPort: '' },
      ],
    },
  })
  const { ports, netnsPath } = await networks.attach(wanted)
  const [anywhere, anywhere6, loopback] = ports['80/tcp'] ?? []
  assert.deepEqual(anywhere, { HostIp: '0.0.0.0', HostPort: '18080' })
  assert.deepEqual(anywhere6, { HostIp: '::', HostPort: '18080' })
  assert.equal(loopback?.HostIp, '127.0.0.1')
  await using _server = inNetns(netnsPath ?? '', () => serve(80))
  const answers = await Promise.all([
    ask('127.0.0.1', 18080),
    ask('172.17.0.1', 18080),
    ask('127.0.0.1', Number(loopback?.HostPort)),
    askFrom(netnsPath, '172.17.0.1', 18080),
  ])
  assert.deepEqual(answers, ['172.17.0.1', '172.17.0.1', '172.17.0.1', '172.17.0.1'])
  await networks.detach(wanted.containerId)
  await assert.rejects(ask('127.0.0.1', 18080), { code: 'ECONNREFUSED' })
})

test('attach() says in Docker’s words that a port is taken, and keeps nothing', async () => {
  const portBindings = { '80/tcp': [{ HostIp: '', HostPort: '18081' }] }
  await networks.attach(request({ portBindings }))
  const second = request({ portBindings, name: 'second' })
  await assert.rejects(networks.attach(second), {
    message:
      /^failed to set up container networking: driver failed programming external connectivity on endpoint second \([0-9a-f]{64}\): Bind for 0\.0\.0\.0:18081 failed: port is already allocated$/,
  })
  assert.equal(networks.attachment(second.containerId), undefined)
  await using server = serve(18082)
  await once(server, 'listening')
  const third = request({ portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18082' }] } })
  await assert.rejects(
    networks.attach(third),
    /failed to bind host port for 0\.0\.0\.0:18082:172\.17\.0\.\d:80\/tcp: address already in use$/,
  )
  const range = request({ portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18081-18083' }] } })
  assert.deepEqual((await networks.attach(range)).ports, {
    '80/tcp': [
      { HostIp: '0.0.0.0', HostPort: '18083' },
      { HostIp: '::', HostPort: '18083' },
    ],
  })
})

test('openNetworks() after a kill finds addresses, ports and namespaces as they were', async () => {
  const wanted = request({ portBindings: { '80/tcp': [{ HostIp: '', HostPort: '18084' }] } })
  const before = await networks.attach(wanted)
  const networkIds = networks.list().map(({ Id }) => Id)
  // No dispose: the first one is dead, but for its port reservations, which would die with it.
  const reopened = await open()
  assert.deepEqual(reopened.attachment(wanted.containerId), before)
  assert.deepEqual(
    reopened.list().map(({ Id }) => Id),
    networkIds,
  )
  const other = request()
  const attachment = await reopened.attach(other)
  assert.equal(attachment.endpoints['bridge']?.IPAddress, '172.17.0.3')
  await using _server = inNetns(before.netnsPath ?? '', () => serve(80))
  assert.equal(await ask('172.17.0.1', 18084), '172.17.0.1')
  await reopened.reconcile([other.containerId])
  assert.equal(reopened.attachment(wanted.containerId), undefined)
  assert.equal(existsSync(before.netnsPath ?? ''), false)
  await reopened.detach(other.containerId)
  await reopened.detach(other.containerId)
  await reopened[Symbol.asyncDispose]()
  await networks[Symbol.asyncDispose]()
  networks = await open()
})

test('openNetworks() drops the state of another boot and pins that nobody knows', async () => {
  const wanted = request()
  const { netnsPath = '' } = await networks.attach(wanted)
  const path = join(root, 'networks', `${wanted.containerId}.json`)
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"other"'))
  writeFileSync(join(root, 'networks', 'torn.json'), '{"bootId":')
  const reopened = await open()
  assert.equal(reopened.attachment(wanted.containerId), undefined)
  await reopened.reconcile([])
  assert.deepEqual([existsSync(netnsPath), readdirSync(join(root, 'networks'))], [false, []])
  await networks[Symbol.asyncDispose]()
  networks = reopened
})

test('attach() with mode none makes a namespace with a loopback only', async () => {
  const { netnsPath = '', endpoints, interfaces } = await networks.attach(request({ mode: 'none' }))
  const links = inNetns(netnsPath, () => {
    using socket = new RouteSocket()
    return socket
      .links()
      .filter(({ isUp }) => isUp)
      .map(({ name }) => name)
  })
  assert.deepEqual([links, interfaces, Object.keys(endpoints)], [['lo'], [], ['none']])
})

test('attach() with mode host has no namespace and the host’s files', async () => {
  const wanted = request({ mode: 'host', dns: [] })
  const attachment = await networks.attach(wanted)
  assert.equal(attachment.netnsPath, undefined)
  assert.equal(attachment.sandboxKey, join(root, 'netns', 'default'))
  assert.equal(readFileSync(attachment.hostsPath, 'utf8'), readFileSync('/etc/hosts', 'utf8'))
  assert.deepEqual(await networks.counters(wanted.containerId), {})
})

test('attach() with mode container shares namespace, files and counters', async () => {
  const first = request()
  const { netnsPath, hostsPath } = await networks.attach(first)
  const second = request({ mode: `container:${first.containerId}` })
  const attachment = await networks.attach(second)
  assert.deepEqual([attachment.netnsPath, attachment.hostsPath, attachment.endpoints], [netnsPath, hostsPath, {}])
  assert.deepEqual(Object.keys(await networks.counters(second.containerId)), ['eth0'])
  await networks.detach(second.containerId)
  assert.equal(existsSync(netnsPath ?? ''), true)
  await assert.rejects(networks.attach(request({ mode: `container:${second.containerId}` })), { kind: 'conflict' })
})

test('detach() takes the links out of a namespace that others share, whose addresses others may get now', async () => {
  const leave = {
    detach: (id: ContainerId) => networks.detach(id),
    reconcile: () => networks.reconcile([]),
  }
  for (const [how, go] of Object.entries(leave)) {
    const first = request()
    const { netnsPath = '' } = await networks.attach(first)
    await networks.attach(request({ mode: `container:${first.containerId}` }))
    // As with the privilege to do so. Of macvlan and ipvlan links the host has no end either.
    const changing = 'ip link set eth0 name x; ip link add y type veth peer name z'
    const sharer = spawn('nsenter', [`--net=${netnsPath}`, 'sh', '-c', `${changing}; echo; exec sleep 60`])
    await once(sharer.stdout, 'data')
    await go(first.containerId)
    const inside = await output('nsenter', [`--net=/proc/${sharer.pid}/ns/net`, 'ls', '/proc/sys/net/ipv4/conf'])
    assert.deepEqual(inside.trim().split('\n'), ['all', 'default', 'lo'], how)
    assert.deepEqual(linkNames(), ['lo', 'berth0'], how)
    sharer.kill()
    await once(sharer, 'close')
  }
})

test('detach() leaves nothing of a container that is asked about, and whose links change, while it goes', async () => {
  const link = (last: number) => ({
    address: `10.9.9.${last}`,
    names: ['db'],
    ports: [{ port: 5432, protocol: 'tcp' }],
  })
  const linking = request({ links: [link(1)] })
  await networks.attach(linking)
  const linked = () => output('nft', ['list', 'set', 'inet', 'berth', 'linked'])
  assert.match(await linked(), /10\.9\.9\.1 \. 5432/)
  const going = networks.detach(linking.containerId)
  for (let last = 2; networks.attachment(linking.containerId); last = (last % 200) + 2) {
    networks.updateLink(linking.containerId, link(last))
    await networks.counters(linking.containerId)
    await turn()
  }
  await going
  assert.doesNotMatch(await linked(), /5432/)
})

test('detach() that cannot let go of the namespace says so once it has withdrawn the ports, and is tried again', async () => {
  const serving = request({ portBindings: { '53/udp': [{ HostIp: '', HostPort: '18079' }] } })
  const { netnsPath = '' } = await networks.attach(serving)
  const published = () => output('nft', ['list', 'map', 'inet', 'berth', 'ports4_any'])
  assert.match(await published(), /18079/)
  unmount(netnsPath, { detach: true })
  rmSync(netnsPath)
  mkdirSync(netnsPath)
  // Known before the flows of datagrams are forgotten, which takes longer: nothing of it may be left unhandled.
  await assert.rejects(networks.detach(serving.containerId))
  assert.doesNotMatch(await published(), /18079/)
  rmdirSync(netnsPath)
  await networks.detach(serving.containerId)
  assert.equal(networks.attachment(serving.containerId), undefined)
})

test('attach() refuses networks that are not there', async () => {
  await assert.rejects(networks.attach(request({ mode: 'nope' })), {
    kind: 'notFound',
    message: 'failed to set up container networking: network nope not found',
  })
})

test('attach() writes hosts, hostname and resolv.conf as Docker does, and keeps an edited resolv.conf', async () => {
  const wanted = request({
    hostname: 'h',
    domainname: 'example.org',
    extraHosts: ['a:1.2.3.4', 'gw:host-gateway', 'c:::1'],
  })
  const { hostsPath, hostnamePath, resolvConfPath } = await networks.attach(wanted)
  assert.equal(
    readFileSync(hostsPath, 'utf8').split('\n').slice(6).join('\n'),
    '1.2.3.4\ta\n172.17.0.1\tgw\n::1\tc\n172.17.0.2\th.example.org h\n',
  )
  assert.equal(readFileSync(hostnamePath, 'utf8'), 'h\n')
  assert.match(readFileSync(resolvConfPath, 'utf8'), /^nameserver 9\.9\.9\.9$/m)
  writeFileSync(resolvConfPath, 'nameserver 4.4.4.4\n')
  await networks.detach(wanted.containerId)
  await networks.attach(wanted)
  assert.equal(readFileSync(resolvConfPath, 'utf8'), 'nameserver 4.4.4.4\n')
})

test('attach() serves 100 at once without giving an address twice', async () => {
  const wanted = Array.from({ length: 100 }, (_, index) =>
    request({ portBindings: { '80/tcp': [{ HostIp: '', HostPort: `${19000 + index}` }] } }),
  )
  const attachments = await Promise.all(wanted.map((one) => networks.attach(one)))
  const addresses = new Set(attachments.map(({ endpoints }) => endpoints['bridge']?.IPAddress))
  assert.equal(addresses.size, 100)
  assert.equal(Object.keys(networks.list().find(({ Name }) => Name === 'bridge')?.Containers ?? {}).length, 100)
  await Promise.all(wanted.map(({ containerId }) => networks.detach(containerId)))
  assert.deepEqual(readdirSync(join(root, 'netns')), [])
})

test('openNetworks() takes the bridge’s address from bip and avoids the host’s routes without one', async () => {
  await networks[Symbol.asyncDispose]()
  networks = await open({ bip: '10.77.0.5/24' })
  const { endpoints } = await networks.attach(request())
  assert.deepEqual([endpoints['bridge']?.Gateway, endpoints['bridge']?.IPAddress], ['10.77.0.5', '10.77.0.1'])
  await networks.reconcile([])
  await networks[Symbol.asyncDispose]()
  database = openDatabase(':memory:')
  host.send(new RouteRequest().addBridge('other0'), 'make other0')
  host.send(new RouteRequest().addAddress(host.link('other0')?.index ?? 0, '172.17.9.1', 24), 'address other0')
  networks = await open()
  assert.equal((await networks.attach(request())).endpoints['bridge']?.Gateway, '172.18.0.1')
  host.send(new RouteRequest().deleteLink('other0'), 'delete other0')
})

test('openNetworks() gives a bridge that a killed engine left the address that bip now says', async () => {
  const reopened = await open({ bip: '10.78.0.1/24' })
  const index = host.link('berth0')?.index
  const addresses = host.addresses().filter((one) => one.index === index && !one.address.includes(':'))
  assert.deepEqual(addresses, [{ index, address: '10.78.0.1', prefixLength: 24 }])
  await networks[Symbol.asyncDispose]()
  networks = reopened
  await assert.rejects(open({ bip: '10.78.0.0/24' }), { kind: 'invalid' })
  assert.equal(host.link('berth0'), undefined)
  await assert.rejects(open({ bridge: 'lo' }), /existing interface lo is not a bridge/)
})

test('openNetworks() touches no table of others', async () => {
  await loadRuleset('table inet other { }')
  const reopened = await open()
  assert.match(await output('nft', ['list', 'tables']), /inet other/)
  await reopened[Symbol.asyncDispose]()
  assert.match(await output('nft', ['list', 'tables']), /inet other/)
  await loadRuleset('delete table inet other')
  await networks[Symbol.asyncDispose]()
  networks = await open()
})
