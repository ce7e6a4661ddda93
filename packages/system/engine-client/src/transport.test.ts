import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Channel } from './channel.ts'
import { ApiError } from './errors.ts'
import { readJsonLines } from './lines.ts'
import { encodeQuery, Transport } from './transport.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-client-'))
const path = join(directory, 'engine.sock')
let server: Server
let seen: string[] = []
let connections = 0
let answer: (request: IncomingMessage, response: ServerResponse) => void = (_request, response) => void response.end()
const sockets = new Set<Socket>()

before(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  server.on('connection', (socket: Socket) => {
    connections++
    sockets.add(socket)
  })
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n\r\n')
    socket.on('data', (data: Buffer) => void socket.write(data.toString().toUpperCase()))
    socket.on('end', () => void socket.end('bye'))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
})

after(() => {
  for (const socket of sockets) socket.destroy()
  server.close()
  rmSync(directory, { recursive: true })
})

beforeEach(() => {
  seen = []
  connections = 0
})

function open(apiVersion?: string): Transport {
  return new Transport({ endpoint: { kind: 'unix', path }, apiVersion })
}

async function* body(): AsyncGenerator<Buffer> {
  for (let index = 0; index < 40; index++) yield Buffer.alloc(100_000)
}

test('Transport reads bodies with a length and reuses the connection', async () => {
  answer = (_request, response) => void response.end('{"a":1}')
  const transport = open()
  assert.deepEqual(await transport.json('GET', '/one'), { a: 1 })
  assert.deepEqual(await transport.json('POST', '/two', { json: {}, query: { x: 'a b' } }), { a: 1 })
  transport.close()
  assert.deepEqual([connections, seen], [1, ['GET /v1.51/one', 'POST /v1.51/two?x=a%20b']])
})

test('Transport reads chunked bodies as they arrive', async () => {
  answer = (_request, response) => {
    response.write('{"n":1}\n{"n"')
    setImmediate(() => void response.end(':2}\n{"n":3}'))
  }
  const transport = open()
  const numbers: number[] = []
  for await (const { n } of readJsonLines<{ n: number }>((await transport.request('GET', '/x')).body)) numbers.push(n)
  transport.close()
  assert.deepEqual(numbers, [1, 2, 3])
})

test('Transport sends streams chunked', async () => {
  answer = (request, response) => {
    request.setEncoding('latin1')
    let size = 0
    request.on('data', (data: string) => (size += data.length))
    request.on('end', () => void response.end(JSON.stringify({ size, type: request.headers['transfer-encoding'] })))
  }
  const transport = open('1.51')
  assert.deepEqual(await transport.json('POST', '/load', { stream: body() }), { size: 4_000_000, type: 'chunked' })
  transport.close()
})

test('Transport turns error answers into ApiError', async () => {
  answer = (_request, response) => void response.writeHead(404).end('{"message":"No such container: x"}')
  const transport = open()
  await assert.rejects(transport.json('GET', '/x'), new ApiError(404, 'No such container: x'))
  transport.close()
})

test('Transport falls back to the version of an older engine', async () => {
  answer = (request, response) => {
    response.setHeader('Api-Version', '1.44')
    const tooNew = request.url?.startsWith('/v1.51') === true
    if (tooNew) response.statusCode = 400
    response.end(tooNew ? '{"message":"client version 1.51 is too new. Maximum supported API version is 1.44"}' : '{}')
  }
  const transport = open()
  assert.deepEqual(await transport.json('GET', '/info'), {})
  transport.close()
  assert.deepEqual(seen, ['GET /v1.51/info', 'GET /_ping', 'GET /v1.44/info'])
})

test('Transport hijacks, and reads on after its own side has ended', async () => {
  const transport = open()
  const connection = await transport.hijack('/containers/x/attach')
  await connection.write(Buffer.from('hello'))
  assert.equal((await connection.read())?.toString(), 'HELLO')
  connection.closeWrite()
  assert.equal((await connection.read())?.toString(), 'bye')
  assert.equal(await connection.read(), undefined)
  assert.equal(connection.contentType, 'application/vnd.docker.raw-stream')
})

test('Transport breaks the connection when its signal aborts', async () => {
  answer = (_request, response) => response.flushHeaders()
  const controller = new AbortController()
  const response = await open().request('GET', '/events', { signal: controller.signal })
  controller.abort()
  await assert.rejects(response.text(), { name: 'AbortError' })
})

test('Transport says that no engine listens', async () => {
  const transport = new Transport({ endpoint: { kind: 'unix', path: '/nonexistent.sock' } })
  await assert.rejects(transport.request('GET', '/x'), {
    name: 'ConnectionError',
    message: 'Cannot connect to the Berth daemon at unix:///nonexistent.sock. Is the berth daemon running?',
  })
})

test('encodeQuery() repeats lists and leaves out what is undefined', () => {
  assert.equal(encodeQuery({ a: ['x', 'y/z'], b: true, c: false, d: undefined, e: 3 }), '?a=x&a=y%2Fz&b=1&c=0&e=3')
  assert.equal(encodeQuery({}), '')
})

test('Transport fails a request whose body cannot be read, instead of waiting for its answer', async () => {
  answer = (request) => void request.resume()
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Buffer.from('x')
    throw new Error('read /x: is a directory')
  }
  await assert.rejects(open('1.51').request('POST', '/images/load', { stream: broken() }), /read \/x: is a directory/)
})

test('Transport sends a body that the kernel takes in parts, and reads an answer that is not read at once', async () => {
  const large = { text: 'ü'.repeat(3_000_000) }
  answer = (request, response) => {
    const hash = createHash('sha256')
    request.on('data', (chunk: Buffer) => void hash.update(chunk))
    request.on('end', () => void response.end(Buffer.alloc(20_000_000, hash.digest())))
  }
  const transport = open()
  const { body } = await transport.request('POST', '/large', { json: large })
  const chunks: Buffer[] = []
  for await (const chunk of body) {
    chunks.push(chunk)
    if (chunks.length % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  transport.close()
  const digest = createHash('sha256').update(JSON.stringify(large)).digest()
  assert.ok(Buffer.concat(chunks).equals(Buffer.alloc(20_000_000, digest)))
})

test('Transport says that the engine went away without an answer, and opens another connection then', async () => {
  answer = (request) => void request.socket.destroy()
  const idle: Channel[] = []
  const transport = new Transport({ endpoint: { kind: 'unix', path } }, idle)
  await assert.rejects(
    transport.request('GET', '/gone'),
    /the daemon closed the connection before it answered|ECONNRESET/,
  )
  answer = (_request, response) => void response.end('{}')
  await transport.json('GET', '/idle')
  for (const socket of sockets) socket.destroy()
  while (idle.some(({ usable }) => usable)) await nextTurn()
  assert.deepEqual(await transport.json('GET', '/again'), {})
  transport.close()
  assert.equal(connections, 3)
})

test('Transport keeps a connection for requests when another one is hijacked', async () => {
  answer = (_request, response) => void response.end('{}')
  const transport = open()
  await transport.json('GET', '/before')
  const connection = await transport.hijack('/attach')
  await connection.write(Buffer.from('hello'))
  assert.equal((await connection.read())?.toString(), 'HELLO')
  assert.deepEqual(await transport.json('GET', '/meanwhile'), {})
  connection.closeWrite()
  assert.equal((await connection.read())?.toString(), 'bye')
  connection.destroy()
  transport.close()
})
