import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { openConnection } from '../testing/connection.ts'
import { SocketWriter } from './socket-writer.ts'

const never = new AbortController().signal

test('SocketWriter writes chunks of the chunked coding, and leaves the socket open', async () => {
  using connection = await openConnection()
  const received = buffer(connection.client)
  const chunks = [Buffer.from('one'), randomBytes(1 << 20), randomBytes(300_000)]
  {
    using writer = new SocketWriter(connection.fd, never)
    for (const chunk of chunks) await writer.write(chunk)
    await writer.end()
  }
  connection.peer.end('0\r\n\r\n')
  const expected = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ])
  assert.ok((await received).equals(Buffer.concat([...expected, Buffer.from('0\r\n\r\n')])))
})

test('SocketWriter waits for a reader that takes nothing', async () => {
  using connection = await openConnection()
  using writer = new SocketWriter(connection.fd, never)
  connection.client.pause()
  await writer.write(randomBytes(4 << 20))
  let hasGoneOn = false
  const second = writer.write(Buffer.from('x')).then(() => (hasGoneOn = true))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(hasGoneOn, false)
  connection.client.resume()
  await second
  await writer.end()
})

test('SocketWriter fails when the reader leaves, and when it is told to', async () => {
  for (const [leave, code] of [
    [({ client }: { client: { destroy(): void } }) => client.destroy(), 'EPIPE'],
    [(_: unknown, abort: AbortController) => abort.abort(), 'ECANCELED'],
  ] as const) {
    using connection = await openConnection()
    const abort = new AbortController()
    using writer = new SocketWriter(connection.fd, abort.signal)
    connection.client.pause()
    await writer.write(randomBytes(4 << 20))
    const waiting = writer.write(Buffer.from('x'))
    setImmediate(() => leave(connection, abort))
    await assert.rejects(waiting, { code })
  }
})
