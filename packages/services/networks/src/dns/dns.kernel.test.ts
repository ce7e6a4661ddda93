import assert from 'node:assert/strict'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { closeSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { silentLogger } from '@berth/base'
import { connectSocket, inNetns, listenSocket, RouteRequest, RouteSocket, unpinNetns } from '@berth/linux'
import { pinnedNetns } from '@berth/testing'
import { KeptDescriptors } from '../testing/kept-descriptors.ts'
import { type Dns, openDns, resolverAddress } from './dns.ts'
import { question, readAnswer, type ReadAnswer } from './fixtures.ts'
import type { UpstreamServer } from './forwarder.ts'
import { addressData, buildResponse, parseQuery, responseCodes } from './message.ts'
import { frame, readFrame } from './tcp-frames.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-dns-'))
after(() => rmSync(root, { recursive: true }))
using host = new RouteSocket()
host.send(new RouteRequest().setUp(1), 'set up lo')

const pin = join(root, 'netns')
let store: KeptDescriptors
let dns: Dns
const start = (servers: readonly UpstreamServer[] = [], forwards = true) => {
  dns = openDns({ logger: silentLogger, store })
  const network = { networkId: 'n', networkName: 'net' }
  dns.put({ endpointId: 'e1', sandboxId: 's1', ...network, dnsNames: ['web'], ipv4: '10.0.0.2' })
  dns.put({ endpointId: 'e2', sandboxId: 's2', ...network, dnsNames: ['db'], ipv4: '10.0.0.3', ipv6: 'fd00::3' })
  dns.open({ sandboxId: 's1', pin, servers, forwards, hasNdots: false })
}
beforeEach(() => {
  using inside = pinnedNetns(pin)
  inside.send(new RouteRequest().setUp(1), 'set up lo')
  store = new KeptDescriptors()
  start()
})
afterEach(async () => {
  dns.close('s1')
  dns[Symbol.dispose]()
  store[Symbol.dispose]()
  await unpinNetns(pin)
})

/** A client inside, or on the host. */
function client(netns: string | undefined = pin): UdpSocket {
  const bind = () => listenSocket({ protocol: 'udp', address: '0.0.0.0', port: 0, receiveBufferBytes: 8 << 20 })
  const { fd } = netns === undefined ? bind() : inNetns(netns, bind)
  return createSocket('udp4').bind({ fd })
}

/** Asks all at once and waits for every answer. */
async function askAll(messages: readonly Buffer[], timeoutMs = 8000): Promise<ReadAnswer[]> {
  await using socket = client()
  const answers: ReadAnswer[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, timeoutMs)
  socket.on('message', (answer) => {
    answers.push(readAnswer(answer))
    if (answers.length === messages.length) resolve()
  })
  for (const message of messages) socket.send(message, 53, resolverAddress)
  await promise
  clearTimeout(timer)
  return answers
}

const ask = async (name: string, type = 1, timeoutMs?: number): Promise<ReadAnswer | undefined> =>
  (await askAll([question(name, type)], timeoutMs))[0]

async function askByTcp(messages: readonly Buffer[]): Promise<ReadAnswer[]> {
  const fd = inNetns(pin, () => connectSocket('tcp', { address: resolverAddress, port: 53 }))
  const socket = new Socket({ fd, readable: true, writable: true })
  for (const message of messages) socket.write(frame(message))
  const answers: ReadAnswer[] = []
  let received = Buffer.alloc(0)
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    received = Buffer.concat([received, chunk])
    for (let next = readFrame(received); next; next = readFrame(received)) {
      answers.push(readAnswer(next.message))
      received = Buffer.from(next.rest)
    }
    if (answers.length === messages.length) break
  }
  return answers
}

/** A server of the outside, which answers every name with `address`, or with `code` only, or not at all. */
interface Upstream extends AsyncDisposable {
  readonly asked: string[]
}
type Behaviour = { readonly address: string } | { readonly code: 2 | 3 | 5 } | 'silent'

function upstream(ip: string, behaviour: Behaviour, netns?: string): Upstream {
  const open = (protocol: 'udp' | 'tcp') => () => listenSocket({ protocol, address: ip, port: 53 }).fd
  const inside = (make: () => number) => (netns === undefined ? make() : inNetns(netns, make))
  const asked: string[] = []
  const answer = (message: Buffer) => {
    const query = parseQuery(message)
    assert.ok(query && !('code' in query))
    asked.push(query.name)
    if (behaviour === 'silent') return undefined
    const records = 'address' in behaviour ? [addressData(behaviour.address)] : []
    const response = buildResponse(query, { code: responseCodes.ok, records })
    if ('code' in behaviour) response[3] = (response[3] ?? 0) | behaviour.code
    return response
  }
  const udp = createSocket('udp4').bind({ fd: inside(open('udp')) })
  udp.on('message', (message, { address, port }) => {
    const response = answer(message)
    if (response) udp.send(response, port, address)
  })
  const tcp = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      const response = answer(readFrame(bytes)?.message ?? Buffer.alloc(0))
      if (response) socket.write(frame(response))
    })
  }).listen({ fd: inside(open('tcp')) })
  return {
    asked,
    [Symbol.asyncDispose]: async () => {
      udp.close()
      tcp.close()
    },
  }
}

const restart = (servers: readonly UpstreamServer[], forwards = true): void => {
  dns[Symbol.dispose]()
  start(servers, forwards)
}

test('the DNS answers names, addresses and reverse names inside, by UDP and TCP', async () => {
  assert.deepEqual((await ask('DB'))?.records, ['10.0.0.3'])
  assert.deepEqual((await ask('db', 28))?.records, ['fd000000000000000000000000000003'])
  assert.deepEqual(await ask('web', 28), { id: 7, code: 0, isTruncated: false, records: [] })
  const pointer = (await ask('3.0.0.10.in-addr.arpa', 12))?.records[0] ?? ''
  assert.equal(Buffer.from(pointer, 'hex').toString(), '\x02db\x03net\0')
  const answers = await askByTcp([question('db', 1, { id: 1 }), question('web', 1, { id: 2 })])
  assert.deepEqual(
    answers.map(({ id, records }) => [id, ...records]),
    [
      [1, '10.0.0.3'],
      [2, '10.0.0.2'],
    ],
  )
})

test('a container’s own port 53 is free, on every address', async () => {
  for (const protocol of ['udp', 'tcp'] as const) {
    for (const address of ['0.0.0.0', '127.0.0.11', '127.0.0.1']) {
      closeSync(inNetns(pin, () => listenSocket({ protocol, address, port: 53 })).fd)
    }
  }
})

test('the DNS loses none of 10,000 questions, and answers by TCP what does not fit', async () => {
  const ids = new Set<number>()
  for (let sent = 0; sent < 10_000; sent += 2500) {
    const messages = Array.from({ length: 2500 }, (_, index) => question('db', 1, { id: sent + index }))
    for (const { id, records } of await askAll(messages)) if (records[0] === '10.0.0.3') ids.add(id)
  }
  assert.equal(ids.size, 10_000)
  for (let index = 0; index < 200; index++) {
    const shared = { networkId: 'n', networkName: 'net', dnsNames: [`c${index}`, 'many'] }
    dns.put({ endpointId: `m${index}`, sandboxId: `m${index}`, ...shared, ipv4: `10.1.0.${index}` })
  }
  const plain = await ask('many')
  assert.deepEqual([plain?.isTruncated, plain?.records.length], [true, 30])
  const [full] = await askByTcp([question('many', 1)])
  assert.equal(new Set(full?.records).size, 200)
  assert.equal(
    new Set(await Promise.all([1, 2, 3, 4, 5, 6].map(async () => (await ask('many'))?.records[0]))).size > 1,
    true,
  )
})

test('the DNS asks the host’s servers from the host, the container’s own from inside, and 10,000 times without loss', async () => {
  await using outside = upstream('127.0.0.1', { address: '192.0.2.1' })
  await using inside = upstream('127.0.0.1', { address: '192.0.2.2' }, pin)
  restart([{ address: '127.0.0.1', fromHost: true }])
  assert.deepEqual((await ask('example.org'))?.records, ['192.0.2.1'])
  restart([{ address: '127.0.0.1', fromHost: false }])
  assert.deepEqual((await ask('Example.ORG'))?.records, ['192.0.2.2'])
  assert.deepEqual((await askByTcp([question('example.net', 1)]))[0]?.records, ['192.0.2.2'])
  assert.deepEqual([outside.asked, inside.asked], [['example.org'], ['example.org', 'example.net']])
  const ids = new Set<number>()
  for (let sent = 0; sent < 10_000; sent += 1000) {
    const messages = Array.from({ length: 1000 }, (_, index) => question('x.org', 1, { id: sent + index }))
    for (const { id, records } of await askAll(messages)) if (records[0] === '192.0.2.2') ids.add(id)
  }
  assert.equal(ids.size, 10_000)
})

test('the DNS goes on to the next server when one is silent, refuses or fails, and believes who says there is none', async () => {
  await using _silent = upstream('127.0.0.2', 'silent')
  await using _failing = upstream('127.0.0.3', { code: 2 })
  await using none = upstream('127.0.0.4', { code: 3 })
  await using good = upstream('127.0.0.5', { address: '192.0.2.5' })
  const servers = (...ips: number[]) => ips.map((ip) => ({ address: `127.0.0.${ip}`, fromHost: true }))
  restart(servers(2, 5))
  assert.deepEqual((await ask('a.org'))?.records, ['192.0.2.5'])
  restart(servers(9, 3, 5)) // nobody listens on the first
  assert.deepEqual((await ask('b.org'))?.records, ['192.0.2.5'])
  restart(servers(4, 5))
  assert.equal((await ask('c.org'))?.code, 3)
  restart(servers(3, 9))
  assert.equal((await ask('d.org'))?.code, 2)
  restart(servers(9))
  assert.equal((await ask('e.org'))?.code, 2)
  assert.deepEqual([none.asked, good.asked], [['c.org'], ['a.org', 'b.org']])
})

test('the DNS of an internal network asks nobody outside', async () => {
  await using outside = upstream('127.0.0.1', { address: '192.0.2.1' })
  restart([{ address: '127.0.0.1', fromHost: true }], false)
  assert.equal((await ask('secret.attacker.example'))?.code, 2)
  assert.equal((await askByTcp([question('secret.attacker.example', 16)]))[0]?.code, 2)
  assert.deepEqual((await ask('db'))?.records, ['10.0.0.3'])
  assert.deepEqual(outside.asked, [])
})

test('the DNS answers what was asked while no engine ran, on the sockets that were kept', async () => {
  dns[Symbol.dispose]()
  const waiting = askAll(Array.from({ length: 2000 }, (_, id) => question('db', 1, { id })))
  const byTcp = askByTcp([question('db', 1)])
  await new Promise((resolve) => setTimeout(resolve, 300))
  start()
  assert.equal((await waiting).length, 2000)
  assert.deepEqual((await byTcp)[0]?.records, ['10.0.0.3'])
})

test('open() makes new sockets where the kept ones are lost', async () => {
  dns[Symbol.dispose]()
  store[Symbol.dispose]()
  start()
  assert.deepEqual((await ask('db'))?.records, ['10.0.0.3'])
})

test('the DNS outlives malformed messages by UDP and TCP', async () => {
  await using socket = client()
  let seed = 7
  const random = (below: number) => (seed = (seed * 48_271) % 0x7fffffff) % below
  for (let round = 0; round < 2000; round++) {
    const message = Buffer.alloc(random(600), random(256))
    question('db', 1).copy(message, 0, 0, random(20))
    socket.send(message, 53, resolverAddress)
  }
  const fd = inNetns(pin, () => connectSocket('tcp', { address: resolverAddress, port: 53 }))
  const stream = new Socket({ fd, readable: true, writable: true })
  stream
    .on('error', () => {})
    .write(Buffer.concat([frame(Buffer.alloc(5)), frame(Buffer.alloc(60_000, 1)), Buffer.of(255)]))
  assert.deepEqual((await ask('db'))?.records, ['10.0.0.3'])
  stream.destroy()
})
