import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, connect as connectSocket, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Control } from '../../generated/control_pb.ts'
import { GrpcClient } from './client.ts'
import { grpcCode, GrpcError } from './error.ts'
import { decodeFrames, encodeFrame } from './frames.ts'
import { GrpcRouter } from './router.ts'
import { serveConnection } from './server.ts'
import { UnfinishedBytes } from './unfinished-bytes.ts'

const { solve: solveMethod, session: sessionMethod, listWorkers: workersMethod } = Control.method
const pathOf = (name: string) => ({ path: `/moby.buildkit.v1.Control/${name}` })
const solve = { ...solveMethod, ...pathOf('Solve') }
const session = { ...sessionMethod, ...pathOf('Session') }
const listWorkers = { ...workersMethod, ...pathOf('ListWorkers') }

async function setUp(t: TestContext, router: GrpcRouter): Promise<{ client: GrpcClient; socket: Socket }> {
  const path = join(tmpdir(), `berth-grpc-${process.pid}-${Math.random().toString(36).slice(2)}.sock`)
  const server = createServer((socket) => void serveConnection(socket, router)).listen(path)
  await once(server, 'listening')
  const socket = connectSocket(path)
  await once(socket, 'connect')
  const client = new GrpcClient(socket, () => {})
  t.after(() => {
    client[Symbol.dispose]()
    server.close()
  })
  return { client, socket }
}

const explain = (error: unknown) => new GrpcError(grpcCode.unknown, (error as Error).message)

test('call() brings the answer, and errors with their message as it was', async (t) => {
  const router = new GrpcRouter(explain)
  router.add(Control, {
    solve: async ({ ref }) => {
      if (ref === 'bad') throw new Error('näh: 100 %\n')
      return { exporterResponse: { ref } }
    },
  })
  const { client } = await setUp(t, router)
  const { exporterResponse } = await client.call(solve, { ref: 'x'.repeat(100_000) })
  assert.equal(exporterResponse['ref']?.length, 100_000)
  await assert.rejects(client.call(solve, { ref: 'bad' }), { code: 2, message: 'näh: 100 %\n' })
  await assert.rejects(client.call(listWorkers, {}), { code: grpcCode.unimplemented })
})

test('call() and open() hear of a request that is missing or is none', async (t) => {
  const router = new GrpcRouter(explain)
  router.add(Control, { solve: async () => ({}) })
  const { client } = await setUp(t, router)
  const missing = client.open(solve)
  missing.end()
  await assert.rejects(Array.fromAsync(missing.messages), {
    code: grpcCode.invalidArgument,
    message: 'the request is missing',
  })
  const other = { ...solve, input: sessionMethod.input }
  await assert.rejects(client.call(other, { data: Buffer.from([0xff]) }), {
    code: grpcCode.invalidArgument,
    message: /^malformed message: /,
  })
})

test('open() carries messages both ways, and a handler hears of a client that is gone', async (t) => {
  const router = new GrpcRouter(explain)
  const gone = Promise.withResolvers<void>()
  router.add(Control, {
    session: async function* (requests, call) {
      call.signal.addEventListener('abort', () => gone.resolve())
      for await (const { data } of requests) yield { data: Buffer.concat([data, data]) }
    },
  })
  const { client, socket } = await setUp(t, router)
  const call = client.open(session)
  await call.send({ data: Buffer.from('ab') })
  for await (const { data } of call.messages) {
    assert.equal(Buffer.from(data).toString(), 'abab')
    break
  }
  const second = client.open(session)
  await second.send({ data: Buffer.from('c') })
  socket.destroy()
  await gone.promise
})

test('open() keeps what the other side sent before it ended, however late it is read', async (t) => {
  const router = new GrpcRouter(explain)
  const ended = Promise.withResolvers<void>()
  router.add(Control, {
    session: async function* (_, call) {
      call.signal.addEventListener('abort', () => ended.resolve())
      yield { data: Buffer.from('all') }
    },
  })
  const { client } = await setUp(t, router)
  const call = client.open(session)
  await ended.promise
  await sleep(20)
  const found = await Array.fromAsync(call.messages, ({ data }) => Buffer.from(data).toString())
  assert.deepEqual(found, ['all'])
})

test('decodeFrames() takes messages apart however they arrive, and refuses what is too large or cut off', async () => {
  const bytes = Buffer.concat([
    encodeFrame(Buffer.from('one')),
    encodeFrame(Buffer.alloc(0)),
    encodeFrame(Buffer.from('two')),
  ])
  for (const size of [1, 4, bytes.length]) {
    const found: string[] = []
    for await (const frames of decodeFrames(chunksOf(bytes, size), limits(10))) found.push(...frames.map(String))
    assert.deepEqual(found, ['one', '', 'two'])
  }
  await assert.rejects(Array.fromAsync(decodeFrames(chunksOf(bytes, 4), limits(2))), {
    code: grpcCode.resourceExhausted,
  })
  await assert.rejects(Array.fromAsync(decodeFrames(chunksOf(bytes.subarray(0, -1), 4), limits(10))), {
    code: grpcCode.internal,
  })
})

const limits = (maxBytes: number) => ({ maxBytes, unfinished: new UnfinishedBytes() })

test('decodeFrames() gives back what it holds of unfinished messages, and fails when all hold too much', async () => {
  const maxBytes = 40 << 20
  const unfinished = new UnfinishedBytes()
  const begun = Buffer.alloc(maxBytes)
  begun.writeUInt32BE(maxBytes, 1)
  const first = decodeFrames(chunksOf(begun, maxBytes), { maxBytes, unfinished })
  await assert.rejects(first.next(), { code: grpcCode.internal })
  await assert.rejects(Array.fromAsync(decodeFrames(endless(begun), { maxBytes: maxBytes * 2, unfinished })), {
    code: grpcCode.resourceExhausted,
  })
  unfinished.hold(maxBytes)
})

async function* endless(bytes: Buffer): AsyncGenerator<Buffer> {
  const begun = Buffer.from(bytes)
  begun.writeUInt32BE(bytes.length * 2, 1)
  yield begun
  yield begun.subarray(0, bytes.length - 1)
}

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
