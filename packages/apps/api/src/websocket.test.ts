import { encodeFrame } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { fakeContainer, serve } from './testing/fakes.ts'
import { acceptKey, encodeWebSocketFrame, opcode, WebSocketDecoder, WebSocketError } from './websocket.ts'

interface FrameParts {
  readonly code?: number
  readonly final?: boolean
  readonly mask?: boolean
}

/** A frame as a client sends it. */
function clientFrame(payload: string, { code = opcode.text, final = true, mask = true }: FrameParts = {}): Buffer {
  const frame = encodeWebSocketFrame(code, Buffer.from(payload))
  if (!final) frame[0]! &= 0x7f
  if (!mask) return frame
  const headBytes = frame.length - Buffer.byteLength(payload)
  frame[1]! |= 0x80
  const key = Buffer.from([1, 2, 3, 4])
  const body = Buffer.from(payload).map((byte, index) => byte ^ key[index & 3]!)
  return Buffer.concat([frame.subarray(0, headBytes), key, body])
}

test('acceptKey() is the example of RFC 6455', () => {
  assert.equal(acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test('WebSocketDecoder.push() takes frames of every length in pieces of any size', () => {
  for (const length of [0, 5, 125, 126, 65_535, 65_536]) {
    const payload = 'x'.repeat(length)
    const decoder = new WebSocketDecoder()
    const bytes = clientFrame(payload)
    const frames = [bytes.subarray(0, 1), bytes.subarray(1, 9), bytes.subarray(9)].flatMap((part) => decoder.push(part))
    assert.deepEqual(
      frames.map((frame) => [frame.opcode, frame.isFinal, frame.payload.toString() === payload]),
      [[1, true, true]],
    )
  }
})

test('WebSocketDecoder.push() takes fragments with control frames between them', () => {
  const decoder = new WebSocketDecoder()
  const bytes = Buffer.concat([
    clientFrame('a', { code: opcode.binary, final: false }),
    clientFrame('p', { code: opcode.ping }),
    clientFrame('b', { code: opcode.continuation }),
  ])
  assert.deepEqual(
    decoder.push(bytes).map(({ payload }) => payload.toString()),
    ['a', 'p', 'b'],
  )
})

test('WebSocketDecoder.push() refuses what breaks the protocol', () => {
  const cases: [string, Buffer, number][] = [
    ['unmasked', clientFrame('a', { mask: false }), 1002],
    ['reserved opcode', clientFrame('a', { code: 3 }), 1002],
    ['reserved bit', Buffer.of(0xc1, 0x80, 0, 0, 0, 0), 1002],
    ['long control frame', clientFrame('x'.repeat(126), { code: opcode.ping }), 1002],
    ['fragmented control frame', clientFrame('a', { code: opcode.ping, final: false }), 1002],
    ['continuation of nothing', clientFrame('a', { code: opcode.continuation }), 1002],
    ['huge frame', Buffer.of(0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), 1009],
  ]
  for (const [name, bytes, status] of cases) {
    assert.throws(
      () => new WebSocketDecoder().push(bytes),
      (error) => error instanceof WebSocketError && error.status === status,
      name,
    )
  }
})

function pipes(): { readonly process: Duplex; readonly input: Buffer[] } {
  const input: Buffer[] = []
  const process = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      input.push(chunk)
      process.emit('input')
      done()
    },
  })
  return { process, input }
}

const handshake = (version: string): string[] => [
  `GET /v${version}/containers/web/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1`,
  'Host: x',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

test('GET /containers/{id}/attach/ws carries input, output without frames of streams, pings and the end', async () => {
  const { process, input } = pipes()
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: false }) } })
  const connection = api.raw(handshake('1.51'), clientFrame('first').toString('latin1'))
  await connection.until('Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n')
  if (input.length === 0) await once(process, 'input')
  process.push(encodeFrame(1, 'out\n'))
  await connection.until('\x82\x04out\n')
  connection.socket.write(clientFrame('hey', { code: opcode.ping }))
  await connection.until('\x8a\x03hey')
  process.push(null)
  assert.ok((await connection.ended).endsWith('\x88\x02\x03\xe8'))
  assert.equal(Buffer.concat(input).toString(), 'first')
})

test('GET /containers/{id}/attach/ws sends text below 1.28 and closes when the client does', async () => {
  const { process } = pipes()
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const connection = api.raw(handshake('1.27'))
  await connection.until('\r\n\r\n')
  process.push('out\n')
  await connection.until('\x81\x04out\n')
  connection.socket.write(clientFrame('\x03\x00', { code: opcode.close }))
  await connection.ended
  assert.equal(process.destroyed, true)
})

test('GET /containers/{id}/attach/ws answers a broken protocol with its close code', async () => {
  const { process } = pipes()
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const connection = api.raw(handshake('1.51'))
  connection.socket.write(clientFrame('x', { mask: false }))
  assert.ok((await connection.ended).endsWith("\x03\xeaa client's frame must be masked"))
  assert.equal(process.destroyed, true)
})

test('GET /containers/{id}/attach/ws refuses other handshakes', async () => {
  await using api = await serve({ containers: { get: () => fakeContainer() } })
  const plain = await api.call('GET', '/containers/web/attach/ws')
  assert.deepEqual([plain.status, plain.text], [400, 'not websocket protocol'])
  const old = handshake('1.51').map((line) => line.replace('Version: 13', 'Version: 8'))
  assert.match(await api.raw(old).ended, /^HTTP\/1\.1 400 [^]*Sec-WebSocket-Version: 13[^]*missing or bad WebSocket/i)
})
