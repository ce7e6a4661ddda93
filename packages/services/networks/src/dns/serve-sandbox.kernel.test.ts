import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { type ContainerId, newContainerId, silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { decodeNetworkCreate, emptyEndpoint, type EndpointSettings, newestVersion } from '@berth/engine-api'
import { inNetns, listenSocket, RouteRequest, RouteSocket } from '@berth/linux'
import type { Attachment, Networks } from '../networks.ts'
import { openNetworks } from '../open-networks.ts'
import { resolverAddress } from './dns.ts'
import { question, readAnswer } from './fixtures.ts'

const host = new RouteSocket()
host.send(new RouteRequest().setUp(1), 'set up lo')
after(() => host[Symbol.dispose]())
const root = mkdtempSync(join(tmpdir(), 'berth-names-'))
after(() => rmSync(root, { recursive: true }))
const database = openDatabase(':memory:')
after(() => database[Symbol.dispose]())

let networks: Networks
const open = () => openNetworks({ database, runRoot: root, logger: silentLogger, events: { publish() {} } })
beforeEach(async () => {
  networks = await open()
  for (const Name of ['front', 'back']) await networks.create(decodeNetworkCreate({ Name }, newestVersion))
})
afterEach(async () => {
  await networks.reconcile([])
  for (const name of ['front', 'back']) await networks.remove(name)
  await networks[Symbol.asyncDispose]()
})

interface Started extends Attachment {
  readonly containerId: ContainerId
}

async function start(name: string, networkName: string, settings: Partial<EndpointSettings> = {}): Promise<Started> {
  const containerId = newContainerId()
  const filesDirectory = join(root, containerId)
  mkdirSync(filesDirectory)
  const none = { dns: [], dnsOptions: [], dnsSearch: [], extraHosts: [], sysctls: {}, portBindings: {} }
  const endpoints = { [networkName]: { ...emptyEndpoint(), ...settings } }
  const names = { name, hostname: `${name}-host`, domainname: '', mode: networkName, endpoints }
  return { containerId, ...(await networks.attach({ containerId, ...names, ...none, filesDirectory })) }
}

async function resolve({ netnsPath = '' }: Attachment, name: string): Promise<string> {
  const { fd } = inNetns(netnsPath, () => listenSocket({ protocol: 'udp', address: '0.0.0.0', port: 0 }))
  await using socket = createSocket('udp4').bind({ fd })
  const answer = once(socket, 'message', { signal: AbortSignal.timeout(3000) })
  socket.send(question(name, 1), 53, resolverAddress)
  const { code, records } = readAnswer((await answer)[0] as Buffer)
  return code === 0 ? records.join() : `code ${code}`
}

const addressIn = (attachment: Attachment, network: string) => attachment.endpoints[network]?.IPAddress ?? ''

test('containers of a network find each other by name, alias, short id, host name and link; others do not', async () => {
  const db = await start('db', 'back', { Aliases: ['database'] })
  const web = await start('web', 'back', { Links: ['db:store'] })
  const stranger = await start('stranger', 'front')
  const address = addressIn(db, 'back')
  for (const name of ['db', 'database', db.containerId.slice(0, 12), 'db-host', 'store', 'db.back'])
    assert.equal(await resolve(web, name), address, name)
  assert.equal(await resolve(db, 'db-host'), address)
  assert.notEqual(await resolve(stranger, 'db'), address)
  assert.match(readFileSync(web.resolvConfPath, 'utf8'), /^nameserver 127\.0\.0\.11\noptions ndots:0$/m)
  networks.rename(db.containerId, 'newname')
  assert.equal(await resolve(web, 'newname'), address)
  assert.notEqual(await resolve(web, 'db'), address)
  await networks.detach(db.containerId)
  assert.notEqual(await resolve(web, 'newname'), address)
})

test('connect() and disconnect() change whom a container finds, and its resolv.conf', async () => {
  const db = await start('db', 'back')
  const web = await start('web', 'bridge')
  assert.doesNotMatch(readFileSync(web.resolvConfPath, 'utf8'), /^nameserver 127\.0\.0\.11$/m)
  const membership = { containerId: web.containerId, network: 'back' }
  await networks.connect({ ...membership, settings: emptyEndpoint() })
  assert.match(readFileSync(web.resolvConfPath, 'utf8'), /^nameserver 127\.0\.0\.11$/m)
  assert.equal(await resolve(web, 'db'), addressIn(db, 'back'))
  assert.equal(await resolve(db, 'web'), networks.attachment(web.containerId)?.endpoints['back']?.IPAddress)
  await networks.disconnect(membership)
  assert.notEqual(await resolve(db, 'web'), '')
  assert.match(await resolve(db, 'web'), /^code/)
})

test('connect() leaves a resolv.conf alone that the user has edited', async () => {
  const web = await start('web', 'bridge')
  writeFileSync(web.resolvConfPath, 'nameserver 192.0.2.7\n')
  await networks.connect({ containerId: web.containerId, network: 'back', settings: emptyEndpoint() })
  assert.equal(readFileSync(web.resolvConfPath, 'utf8'), 'nameserver 192.0.2.7\n')
})

test('openNetworks() serves the names of the containers that run', async () => {
  const db = await start('db', 'back')
  const web = await start('web', 'back')
  await networks[Symbol.asyncDispose]()
  networks = await open()
  assert.equal(await resolve(web, 'db'), addressIn(db, 'back'))
})
