import { leastHead } from '@berth/base'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openConnection } from '../testing/connection.ts'
import { SocketReader } from './socket-reader.ts'

const never = new AbortController().signal
const head = randomBytes(leastHead)

async function readAll(reader: SocketReader): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of reader) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

test('SocketReader yields its head and then what the socket has, no byte more', async () => {
  const body = randomBytes(3 << 20)
  for (const size of [0, 1, 300_000, body.length]) {
    using connection = await openConnection()
    connection.client.write(body.subarray(0, size))
    connection.client.write('another request')
    using reader = new SocketReader({ fd: connection.fd, head, sizeBytes: size }, never)
    assert.ok((await readAll(reader)).equals(Buffer.concat([head, body.subarray(0, size)])), String(size))
  }
})

test('SocketReader fails when the socket ends too soon', async () => {
  using connection = await openConnection()
  connection.client.end(randomBytes(1000))
  using reader = new SocketReader({ fd: connection.fd, head, sizeBytes: 1001 }, never)
  await assert.rejects(readAll(reader), { code: 'ECONNRESET' })
})

test('SocketReader stops waiting when it is told to', async () => {
  using connection = await openConnection()
  const abort = new AbortController()
  using reader = new SocketReader({ fd: connection.fd, head, sizeBytes: 1 }, abort.signal)
  const reading = readAll(reader)
  setImmediate(() => abort.abort(new Error('enough')))
  await assert.rejects(reading, { message: 'enough' })
})

test('SocketReader takes what its reader left, so that the sender comes to its end', async () => {
  using connection = await openConnection()
  const sent = new Promise<void>((resolve) => connection.client.write(randomBytes(4 << 20), () => resolve()))
  const reader = new SocketReader({ fd: connection.fd, head, sizeBytes: 4 << 20 }, never)
  for await (const _ of reader) break
  reader[Symbol.dispose]()
  await sent
})

test('SocketReader refuses a head that tells nothing', () => {
  assert.throws(() => new SocketReader({ fd: 0, head: head.subarray(1), sizeBytes: 1 }, never), /too short/)
})
