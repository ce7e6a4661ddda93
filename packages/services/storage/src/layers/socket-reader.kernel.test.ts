import type { BodyFraming } from '@berth/base'
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { openConnection } from '../testing/connection.ts'
import { SocketReader } from './socket-reader.ts'

const never = new AbortController().signal
const nothing = Buffer.alloc(0)
const chunked: BodyFraming = { kind: 'chunked' }
const sized = (sizeBytes: number): BodyFraming => ({ kind: 'sized', sizeBytes })

async function readAll(reader: SocketReader): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of reader) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

test('SocketReader yields its head and then what the socket has, no byte more', async () => {
  const body = randomBytes(3 << 20)
  for (const size of [0, 1, 300_000, body.length]) {
    for (const headBytes of [0, 1, 600, 65_536]) {
      using connection = await openConnection()
      const wire = Buffer.concat([body.subarray(0, size), Buffer.from('another request')])
      connection.client.write(wire.subarray(headBytes))
      const source = { fd: connection.fd, head: wire.subarray(0, headBytes), framing: sized(size) }
      using reader = new SocketReader(source, never)
      assert.ok((await readAll(reader)).equals(body.subarray(0, size)), `${size} of them ${headBytes} at once`)
    }
  }
})

test('SocketReader takes chunks apart, and ends with the last one while the connection stays', async () => {
  const body = randomBytes(3 << 20)
  const pieces = [body.subarray(0, 1), body.subarray(1, 400), body.subarray(400, 700_000), body.subarray(700_000)]
  const chunks = pieces.flatMap((piece) => [`${piece.length.toString(16)}\r\n`, piece, '\r\n'])
  const wire = Buffer.concat([...chunks, '0\r\nTrailer: x\r\n\r\nanother request'].map((part) => Buffer.from(part)))
  for (const headBytes of [0, 2, 65_536]) {
    using connection = await openConnection()
    connection.client.write(wire.subarray(headBytes))
    const source = { fd: connection.fd, head: wire.subarray(0, headBytes), framing: chunked }
    using reader = new SocketReader(source, never)
    assert.ok((await readAll(reader)).equals(body), String(headBytes))
  }
})

test('SocketReader’s first chunk stays, and tells what follows', async () => {
  using connection = await openConnection()
  const body = randomBytes(4000)
  connection.client.write(body.subarray(100))
  using reader = new SocketReader({ fd: connection.fd, head: body.subarray(0, 100), framing: sized(4000) }, never)
  const chunks: Uint8Array[] = []
  for await (const chunk of reader) {
    chunks.push(chunk)
    connection.client.write('more')
  }
  assert.ok(chunks[0]!.length >= 512)
  assert.ok(body.subarray(0, chunks[0]!.length).equals(chunks[0]!))
})

test('SocketReader fails when the socket ends too soon', async () => {
  for (const framing of [sized(1001), chunked]) {
    using connection = await openConnection()
    connection.client.end(Buffer.concat([Buffer.from('400\r\n'), randomBytes(900)]))
    using reader = new SocketReader({ fd: connection.fd, head: nothing, framing }, never)
    await assert.rejects(readAll(reader), { code: 'ECONNRESET' })
  }
})

test('SocketReader refuses what is no chunked coding', async () => {
  using connection = await openConnection()
  connection.client.write('5\r\nhello and more')
  using reader = new SocketReader({ fd: connection.fd, head: nothing, framing: chunked }, never)
  await assert.rejects(readAll(reader), { kind: 'invalid' })
})

test('SocketReader stops waiting when it is told to', async () => {
  using connection = await openConnection()
  const abort = new AbortController()
  using reader = new SocketReader({ fd: connection.fd, head: nothing, framing: sized(1) }, abort.signal)
  const reading = readAll(reader)
  setImmediate(() => abort.abort(new Error('enough')))
  await assert.rejects(reading, { message: 'enough' })
})

test('SocketReader drops what is left of a body, and waits no longer for a sender than it was told', async () => {
  const body = Buffer.concat([Buffer.from('200000\r\n'), randomBytes(2 << 20), Buffer.from('\r\n0\r\n\r\n')])
  for (const wasBegun of [false, true]) {
    using connection = await openConnection()
    const sent = new Promise((resolve) => connection.client.write(body.subarray(1), resolve))
    using reader = new SocketReader({ fd: connection.fd, head: body.subarray(0, 1), framing: chunked }, never)
    if (wasBegun) for await (const _ of reader) break
    await reader.drop(60_000)
    await sent
  }
  using connection = await openConnection()
  using silent = new SocketReader({ fd: connection.fd, head: nothing, framing: chunked }, never)
  await silent.drop(10)
  using malformed = new SocketReader({ fd: connection.fd, head: Buffer.from('no size\r\n'), framing: chunked }, never)
  await malformed.drop(60_000)
})
