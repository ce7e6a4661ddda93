import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { pinnedNetns } from '@berth/testing'
import { inNetns, unpinNetns } from '../namespace/netns.ts'
import { loadRuleset } from '../nft/ruleset.ts'
import { NftElements } from '../nft/elements.ts'
import { RouteRequest, RouteSocket } from './route-socket.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-netlink-'))
const host = new RouteSocket()
const linksBefore = host.links().map(({ name }) => name)
after(() => {
  assert.deepEqual(
    host.links().map(({ name }) => name),
    linksBefore,
  )
  host[Symbol.dispose]()
  rmSync(directory, { recursive: true })
})

test('RouteSocket makes a bridge, addresses it, and finds it again', () => {
  host.send(new RouteRequest().addBridge('b0', { mac: '02:42:00:00:00:01', mtu: 1400 }), 'make b0')
  const bridge = host.link('b0')
  assert.deepEqual([bridge?.kind, bridge?.mac, bridge?.mtu, bridge?.isUp], ['bridge', '02:42:00:00:00:01', 1400, true])
  const index = bridge?.index ?? 0
  host.send(new RouteRequest().addAddress(index, '10.99.0.1', 16).addAddress(index, 'fd99::1', 64), 'address b0')
  const own = host.addresses().filter((address) => address.index === index && !address.address.startsWith('fe80'))
  assert.deepEqual(own, [
    { index, address: '10.99.0.1', prefixLength: 16 },
    { index, address: 'fd99::1', prefixLength: 64 },
  ])
  const routes = host.routes().filter(({ link, prefixLength }) => link === index && prefixLength === 16)
  assert.deepEqual(routes, [{ destination: '10.99.0.0', prefixLength: 16, gateway: undefined, link: index }])
  host.send(new RouteRequest().deleteLink('b0'), 'delete b0')
  assert.equal(host.link('b0'), undefined)
})

test('RouteSocket.sendAsync() brings up a namespace: veth born inside, addresses, default route', async () => {
  host.send(new RouteRequest().addBridge('b1'), 'make b1')
  const master = host.link('b1')?.index ?? 0
  host.send(new RouteRequest().addAddress(master, '10.98.0.1', 24), 'address b1')
  const path = join(directory, 'ns')
  const inside = pinnedNetns(path)
  const netns = openSync(path, 'r')
  const veth = { name: 'v1', master, netns, peerName: 'eth0', peerMac: '02:42:0a:62:00:02', mtu: 1300, hairpin: true }
  await host.sendAsync(new RouteRequest().addVeth(veth), 'make v1')
  closeSync(netns)
  const index = inside.linkIndex('eth0') ?? 0
  const request = new RouteRequest()
    .setUp(1)
    .addAddress(index, '10.98.0.2', 24)
    .setUp(index)
    .addDefaultRoute('10.98.0.1')
  await inside.sendAsync(request, 'set up eth0')
  const [link, peer] = [inside.link('eth0'), host.link('v1')]
  assert.deepEqual([link?.mac, link?.mtu, link?.isUp], ['02:42:0a:62:00:02', 1300, true])
  assert.deepEqual([peer?.master, peer?.kind, peer?.isUp], [master, 'veth', true])
  const ends = [inNetns(path, () => execFileSync('ip', ['-d', 'link', 'show', 'eth0'], { encoding: 'utf8' }))]
  ends.push(execFileSync('ip', ['-d', 'link', 'show', 'v1'], { encoding: 'utf8' }))
  for (const end of ends) assert.match(end, /numtxqueues 1 numrxqueues 1 /)
  assert.ok(inside.routes().some((route) => route.destination === undefined && route.gateway === '10.98.0.1'))
  const seen = inNetns(path, () => {
    using socket = new RouteSocket()
    return socket.link('eth0')?.index
  })
  assert.equal(seen, index)
  inside[Symbol.dispose]()
  await unpinNetns(path)
  // The kernel drops the namespace, and with it the veth, a little later.
  for (const deadline = Date.now() + 5000; host.link('v1') && Date.now() < deadline;) await new Promise(setImmediate)
  host.send(new RouteRequest().deleteLink('b1'), 'delete b1')
})

test('RouteSocket.linkIndex() finds the links of its own namespace by their whole names', async () => {
  host.send(new RouteRequest().addBridge('fifteen-letters'), 'make a bridge')
  assert.equal(host.linkIndex('fifteen-letters'), host.link('fifteen-letters')?.index)
  const path = join(directory, 'other')
  using inside = pinnedNetns(path)
  assert.deepEqual(
    [inside.linkIndex('lo'), inside.linkIndex('fifteen-letters'), inside.linkIndex('')],
    [1, undefined, undefined],
  )
  await unpinNetns(path)
  host.send(new RouteRequest().deleteLink('fifteen-letters'), 'delete the bridge')
})

test('RouteSocket.send() says which request the kernel refused and why', () => {
  host.send(new RouteRequest().addBridge('b2'), 'make b2')
  assert.throws(() => host.send(new RouteRequest().addBridge('b2'), 'make b2'), { code: 'EEXIST', path: 'make b2' })
  assert.throws(
    () => host.send(new RouteRequest().addDefaultRoute('10.97.0.1'), 'route'),
    /netlink route: .*\(Nexthop has invalid gateway\)/,
  )
  host.send(new RouteRequest().deleteLink('b2'), 'delete b2')
})

test('RouteSocket.sendAsync() keeps the order of concurrent requests and their errors apart', async () => {
  const names = Array.from({ length: 8 }, (_, i) => `c${i}`)
  const results = await Promise.allSettled(
    [...names, 'c0', 'c3'].map((name) => host.sendAsync(new RouteRequest().addBridge(name), name)),
  )
  assert.deepEqual(
    results.map(({ status }) => status),
    [...names.map(() => 'fulfilled'), 'rejected', 'rejected'],
  )
  await host.sendAsync(
    names.reduce((request, name) => request.deleteLink(name), new RouteRequest()),
    'delete',
  )
})

test('NftElements.apply() adds and deletes in one transaction', async () => {
  await loadRuleset(`table inet t {
    map ports { type inet_proto . inet_service : ipv4_addr . inet_service; }
  }`)
  using elements = new NftElements('t')
  const element = (port: number) => ({
    key: Buffer.from([6, 0, 0, 0, port >> 8, port & 255, 0, 0]),
    data: Buffer.from([10, 0, 0, 2, 0, 80, 0, 0]),
  })
  elements.apply([{ change: 'add', set: 'ports', elements: [element(80), element(8080)] }])
  assert.throws(() => elements.apply([{ change: 'add', set: 'ports', elements: [element(90), element(80)] }]), {
    code: 'EEXIST',
  })
  // 90 was not added: the whole change is refused.
  assert.throws(() => elements.apply([{ change: 'delete', set: 'ports', elements: [element(90)] }]), { code: 'ENOENT' })
  elements.apply([
    { change: 'delete', set: 'ports', elements: [element(80)] },
    { change: 'add', set: 'ports', elements: [element(90)] },
  ])
  elements.apply([{ change: 'delete', set: 'ports', elements: [element(90), element(8080)] }])
  await loadRuleset('delete table inet t')
})

test('NftElements.apply() changes a large number of elements at once', async () => {
  await loadRuleset('table inet t { set s { type inet_service; }; }')
  using elements = new NftElements('t')
  const all = Array.from({ length: 1000 }, (_, port) => ({ key: Buffer.from([port >> 8, port & 255]) }))
  for (let at = 0; at < all.length; at += 500) {
    elements.apply([{ change: 'add', set: 's', elements: all.slice(at, at + 500) }])
  }
  await loadRuleset('delete table inet t')
})

test('loadRuleset() passes on what nft complains about', async () => {
  await assert.rejects(loadRuleset('table inet t { chain c { nonsense } }'), /nft: .*syntax error/s)
})

test('RouteRequest makes and takes away default routes by a link alone, for both families', async () => {
  const pin = join(directory, 'by-link')
  using inside = pinnedNetns(pin)
  const loopback = 1
  const request = new RouteRequest().setUp(loopback)
  inside.send(request.addLinkDefaultRoute(4, loopback).addLinkDefaultRoute(6, loopback), 'add')
  const defaults = () => inside.routes().filter(({ prefixLength, link }) => prefixLength === 0 && link === loopback)
  assert.equal(defaults().length, 2)
  assert.ok(defaults().every(({ gateway }) => gateway === undefined))
  inside.send(new RouteRequest().deleteLinkDefaultRoute(4, loopback).deleteLinkDefaultRoute(6, loopback), 'delete')
  assert.deepEqual(defaults(), [])
  await unpinNetns(pin)
})
