import assert from 'node:assert/strict'
import { closeSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'node:test'
import { silentLogger } from '@berth/base'
import { listenSocket } from '@berth/linux'
import { KeptDescriptors } from '../testing/kept-descriptors.ts'
import { endpoint, inside, output, useNetworks } from '../testing/use-networks.ts'

const t = useNetworks()

const web = (HostPort: string, HostIp = '') => ({ '80/tcp': [{ HostIp, HostPort }] })
const first = endpoint({ GwPriority: 1 })

/** Where the firewall leads what is asked of a port on all of the host's addresses; '': nowhere. */
async function leadsTo(port: number): Promise<string> {
  const map = await output('nft', ['list', 'map', 'inet', 'berth', 'ports4_any'])
  return new RegExp(`tcp \\. ${port} : (\\S+) `).exec(map)?.[1] ?? ''
}

/** A store whose word that a copy is closed takes a while. */
class DistantDescriptors extends KeptDescriptors {
  override async settle(): Promise<void> {
    await super.settle()
    await delay(50)
  }
}

test('connect() and disconnect() give a container’s ports to nobody else while they move', async () => {
  using descriptors = new DistantDescriptors()
  await t.restart({ descriptors })
  await t.create({ Name: 'a' })
  const wanted = t.request({ portBindings: web('18094') })
  const { containerId } = wanted
  await t.networks.attach(wanted)
  const moves = {
    connect: () => t.networks.connect({ containerId, network: 'a', settings: first }),
    disconnect: () => t.networks.disconnect({ containerId, network: 'a' }),
  }
  for (const [name, move] of Object.entries(moves)) {
    const hasMoved = new AbortController()
    const moved = move().finally(() => hasMoved.abort())
    moved.catch(() => {})
    const refusals: Promise<void>[] = []
    // None waits for the other: somebody asks at every moment.
    for (; !hasMoved.signal.aborted; await delay(1)) {
      const other = t.networks.attach(t.request({ portBindings: web('18094') }))
      refusals.push(assert.rejects(other, /port is already allocated/))
    }
    const { ports, endpoints } = await moved
    await Promise.all(refusals)
    assert.equal(ports['80/tcp']?.[0]?.HostPort, '18094')
    assert.equal(await leadsTo(18094), endpoints[name === 'connect' ? 'a' : 'bridge']?.IPAddress)
  }
  await t.networks.detach(containerId)
  await t.networks.attach(t.request({ portBindings: web('18094') }))
})

test('connect() that fails after the ports have moved has them lead where they led', async () => {
  await t.create({ Name: 'a' })
  const wanted = t.request({ portBindings: web('18095') })
  const { containerId } = wanted
  const before = await t.networks.attach(wanted)
  const { resolvConfPath } = before
  renameSync(resolvConfPath, `${resolvConfPath}.kept`)
  mkdirSync(resolvConfPath)
  await assert.rejects(t.networks.connect({ containerId, network: 'a', settings: first }), { code: 'EISDIR' })
  rmSync(resolvConfPath, { recursive: true })
  renameSync(`${resolvConfPath}.kept`, resolvConfPath)
  assert.equal(await leadsTo(18095), before.endpoints['bridge']?.IPAddress)
  assert.deepEqual(t.networks.attachment(containerId), before)
  await assert.rejects(t.networks.attach(t.request({ portBindings: web('18095') })), /port is already allocated/)
  const after = await t.networks.connect({ containerId, network: 'a', settings: first })
  assert.equal(await leadsTo(18095), after.endpoints['a']?.IPAddress)
})

test('disconnect() that fails after the ports have moved has them lead where they led', async () => {
  await t.create({ Name: 'a' })
  const wanted = t.request({ portBindings: web('18096') })
  const { containerId } = wanted
  await t.networks.attach(wanted)
  const both = await t.networks.connect({ containerId, network: 'a', settings: first })
  const [gateway, address] = [both.endpoints['bridge']?.Gateway, both.endpoints['bridge']?.IPAddress]
  // Its remaining link leads nowhere: there can be no route by its gateway.
  await inside(both.netnsPath, 'ip', 'address', 'flush', 'dev', 'eth0')
  await assert.rejects(t.networks.disconnect({ containerId, network: 'a' }), { code: 'ENETUNREACH' })
  assert.equal(await leadsTo(18096), both.endpoints['a']?.IPAddress)
  assert.deepEqual(t.networks.attachment(containerId), both)
  await inside(both.netnsPath, 'ip', 'address', 'add', `${address}/16`, 'dev', 'eth0')
  await t.networks.disconnect({ containerId, network: 'a' })
  assert.deepEqual([await leadsTo(18096), gateway], [address, '172.17.0.1'])
})

/** Of a supervisor that does nothing until it has been waited for twice in vain. */
class StuckDescriptors extends KeptDescriptors {
  #waits = 0
  readonly #dropped: string[] = []

  override drop(name: string): void {
    if (this.#waits < 2) this.#dropped.push(name)
    else super.drop(name)
  }

  override async settle(signal?: AbortSignal): Promise<void> {
    if (this.#waits++ < 2) await delay(60_000, undefined, { signal })
    for (const name of this.#dropped.splice(0)) super.drop(name)
    await super.settle()
  }
}

test('connect() waits for the sockets of ports that are to go back', async () => {
  using descriptors = new StuckDescriptors()
  await t.restart({ descriptors })
  await t.create({ Name: 'a' })
  const wanted = t.request({ portBindings: web('18093') })
  const { containerId } = wanted
  const before = await t.networks.attach(wanted)
  await assert.rejects(
    t.networks.connect({ containerId, network: 'a', settings: first }),
    /failed to bind host port for 0\.0\.0\.0:18093:.*: address already in use/,
  )
  assert.deepEqual(t.networks.attachment(containerId), before)
  assert.equal(await leadsTo(18093), before.endpoints['bridge']?.IPAddress)
})

test('connect() whose ports cannot go back either says of which there are none', async () => {
  const bindTo = (address: string) => ({ 'com.docker.network.bridge.host_binding_ipv4': address })
  await t.create({ Name: 'a', Options: bindTo('127.0.0.1') })
  await t.create({ Name: 'b', Options: bindTo('127.0.0.2') })
  const sockets: number[] = []
  const take = (address: string) => sockets.push(listenSocket({ protocol: 'tcp', address, port: 18097 }).fd)
  /** A process of the host's that takes the port as soon as it is free. */
  class GreedyHost extends KeptDescriptors {
    override async settle(): Promise<void> {
      await super.settle()
      if (sockets.length === 1) take('127.0.0.1')
    }
  }
  using descriptors = new GreedyHost()
  await t.restart({ descriptors })
  const wanted = t.request({ mode: 'a', portBindings: { ...web('18097'), '81/tcp': web('18098')['80/tcp'] } })
  const { containerId } = wanted
  const before = await t.networks.attach(wanted)
  take('127.0.0.2')
  await assert.rejects(t.networks.connect({ containerId, network: 'b', settings: first }), /127\.0\.0\.2:18097/)
  const { ports } = t.networks.attachment(containerId) ?? {}
  assert.deepEqual(ports, { '81/tcp': before.ports['81/tcp'] })
  const map = await output('nft', ['list', 'map', 'inet', 'berth', 'ports4'])
  assert.doesNotMatch(map, /18097/)
  assert.match(map, /127\.0\.0\.1 \. 18098 : /)
  for (const fd of sockets) closeSync(fd)
  await t.networks.attach(t.request({ mode: 'a', portBindings: web('18097') }))
})

test('connect() and disconnect() do without a hosts file that cannot be changed, and tell', async () => {
  const told: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => void told.push(message) }
  await t.restart({ logger })
  await t.create({ Name: 'a' })
  const wanted = t.request()
  const { containerId } = wanted
  const { hostsPath } = await t.networks.attach(wanted)
  renameSync(hostsPath, `${hostsPath}.kept`)
  mkdirSync(hostsPath)
  await t.networks.connect({ containerId, network: 'a', settings: endpoint() })
  assert.deepEqual(Object.keys(t.networks.attachment(containerId)?.endpoints ?? {}), ['bridge', 'a'])
  await t.networks.disconnect({ containerId, network: 'a' })
  rmSync(hostsPath, { recursive: true })
  renameSync(`${hostsPath}.kept`, hostsPath)
  assert.deepEqual(told, Array(2).fill('a hosts file is not as the networks are'))
  assert.match(readFileSync(hostsPath, 'utf8'), /172\.17\.0\.\d/)
})

test('reconcile() goes on where an endpoint that was half left cannot be left', async () => {
  const bindTo = (address: string) => ({ 'com.docker.network.bridge.host_binding_ipv4': address })
  await t.create({ Name: 'a', Options: bindTo('127.0.0.1') })
  await t.create({ Name: 'b', Options: bindTo('127.0.0.2') })
  const wanted = t.request({ mode: 'a', portBindings: web('18099') })
  const { containerId } = wanted
  await t.networks.attach(wanted)
  await t.networks.connect({ containerId, network: 'b', settings: first })
  const gone = t.request()
  await t.networks.attach(gone)
  markHalfMade(containerId, 'b')
  const taken = listenSocket({ protocol: 'tcp', address: '127.0.0.1', port: 18099 }).fd
  const told: string[] = []
  await t.restart({ logger: { ...silentLogger, error: (_: object, message: string) => void told.push(message) } })
  await t.networks.reconcile([containerId])
  assert.deepEqual(told, ['an endpoint that was half made cannot be taken away'])
  assert.equal(t.networks.attachment(gone.containerId), undefined)
  closeSync(taken)
  await t.networks.reconcile([containerId])
  assert.deepEqual(Object.keys(t.networks.attachment(containerId)?.endpoints ?? {}), ['a'])
})

/** As an engine notes it that is killed then. */
function markHalfMade(containerId: string, network: string): void {
  const path = join(t.root, 'networks', `${containerId}.json`)
  const file = JSON.parse(readFileSync(path, 'utf8')) as { state: { endpoints: { networkName: string }[] } }
  const endpoints = file.state.endpoints.map((one) =>
    one.networkName === network ? { ...one, isHalfMade: true } : one,
  )
  writeFileSync(path, JSON.stringify({ ...file, state: { ...file.state, endpoints } }))
}
