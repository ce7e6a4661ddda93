import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { after, test } from 'node:test'
import { encodeStdinHead, endOfStdin } from '../protocol/stdin-frames.ts'
import { Client } from './client.ts'
import type { OutputSource, ProcessStreams } from './process-streams.ts'
import { Relay, type RelayOptions } from './relay.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-relay-'))
const server = createServer({ allowHalfOpen: false }).listen(join(directory, 's'))
after(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

/** Both ends of a connection, the server's as the relay's client. */
async function newClient(
  options = { stdin: true, stdout: true, stderr: true },
): Promise<{ far: Socket; client: Client }> {
  const far = connect(join(directory, 's'))
  const [near] = (await once(server, 'connection')) as [Socket]
  const client = new Client(near, options)
  client.listen(Buffer.alloc(0))
  return { far, client }
}

class FakeOutput implements OutputSource {
  readonly stream = 1
  paused = false
  emit: (chunk: Buffer) => void = () => {}
  end: () => void = () => {}

  start(onChunk: (chunk: Buffer) => void, onEnd: () => void): void {
    this.emit = onChunk
    this.end = onEnd
  }
  pause(): void {
    this.paused = true
  }
  resume(): void {
    this.paused = false
  }
  close(): void {
    this.end()
  }
}

function newRelay(options: Partial<RelayOptions> = {}) {
  const relay = new Relay({
    tty: true,
    closesStdin: true,
    limits: { queueBytes: 100_000, stallMs: 60, sharedStallMs: 30 },
    ...options,
  })
  const output = new FakeOutput()
  const stdin = new PassThrough({ highWaterMark: 1024 })
  const streams: ProcessStreams = { outputs: [output], stdin, close: () => output.close() }
  return { relay, output, stdin, start: () => relay.start(streams) }
}

const gone = (far: Socket) => once(far.resume(), 'close')

test('Relay hands waiting clients the output from the first byte, and ends them after the last', async () => {
  const { relay, output, start } = newRelay()
  const { far, client } = await newClient()
  relay.add(client)
  start()
  output.emit(Buffer.from('hello '))
  output.emit(Buffer.from('world'))
  output.end()
  await relay.drain({ timeoutMs: 1000, logTimeoutMs: 1000 })
  relay.finish()
  let text = ''
  for await (const chunk of far) text += String(chunk)
  assert.equal(text, 'hello world')
})

test('Relay frames output without a terminal', async () => {
  const { relay, output, start } = newRelay({ tty: false })
  const { far, client } = await newClient()
  relay.add(client)
  start()
  output.emit(Buffer.from('x'))
  const [chunk] = (await once(far, 'data')) as [Buffer]
  assert.deepEqual([...chunk], [1, 0, 0, 0, 0, 0, 0, 1, 120])
  far.destroy()
})

test('Relay pauses the process for a client that does not read, then cuts it off', async () => {
  const { relay, output, start } = newRelay()
  const { far, client } = await newClient()
  relay.add(client)
  start()
  const state = { closed: false }
  client.onClose(() => (state.closed = true))
  let sent = 0
  let waited = 0
  while (!state.closed) {
    if (output.paused) waited++
    else output.emit(Buffer.alloc(32 * 1024))
    if (!output.paused) sent += 32 * 1024
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(waited > 0 && sent < 1 << 20, `${sent} bytes went`)
  assert.equal(output.paused, false)
  far.destroy()
})

test('Relay goes on once a slow client has read', async () => {
  const { relay, output, start } = newRelay({ limits: { queueBytes: 100_000, stallMs: 5000, sharedStallMs: 5000 } })
  const { far, client } = await newClient()
  relay.add(client)
  start()
  let sent = 0
  for (; !output.paused; sent += 32 * 1024) output.emit(Buffer.alloc(32 * 1024))
  let received = 0
  far.on('data', (chunk: Buffer) => (received += chunk.length))
  while (output.paused) await new Promise((resolve) => setImmediate(resolve))
  relay.finish()
  await gone(far)
  assert.equal(received, sent)
})

test("Relay passes input on, and closes the process's stdin when the client says so", async () => {
  const { relay, stdin, start } = newRelay({ tty: false })
  const { far, client } = await newClient()
  relay.add(client)
  far.write(Buffer.concat([encodeStdinHead(2), Buffer.from('hi'), endOfStdin()]))
  start()
  let text = ''
  for await (const chunk of stdin) text += String(chunk)
  assert.equal(text, 'hi')
  far.destroy()
})

test('Relay leaves stdin open when a client goes, and at the end of input where it is not due', async () => {
  const { relay, stdin, start } = newRelay({ tty: false, closesStdin: false })
  const first = await newClient()
  const second = await newClient()
  relay.add(first.client)
  relay.add(second.client)
  start()
  const closed = [first, second].map(({ client }) => new Promise<void>((resolve) => client.onClose(resolve)))
  first.far.destroy()
  second.far.end(endOfStdin())
  await Promise.all(closed)
  assert.equal(stdin.writableEnded, false)
})

test('Relay does not read a client whose input the process does not take', async () => {
  const { relay, stdin, start } = newRelay({ tty: false })
  const { far, client } = await newClient()
  relay.add(client)
  start()
  let sent = 0
  const frame = Buffer.concat([encodeStdinHead(65536), Buffer.alloc(65536)])
  while (far.write(frame) || far.writableLength < 1 << 20) {
    sent += 65536
    if (sent > 16 << 20) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(stdin.writableLength < 1 << 20, `${stdin.writableLength} bytes are kept`)
  far.destroy()
})

test('Client that breaks the protocol is dropped', async () => {
  const { far, client } = await newClient()
  const closed = new Promise<void>((resolve) => client.onClose(resolve))
  far.write(encodeStdinHead(0xffffffff))
  await closed
  far.destroy()
})

test('Relay stops reading while its log is full, also when the process has ended, and waits for the log', async () => {
  const written: string[] = []
  const closing = Promise.withResolvers<void>()
  let onRoom = () => {}
  const log = {
    isFull: false,
    write: (_: 1 | 2, chunk: Buffer) => written.push(chunk.toString()),
    onRoom: (listener: () => void) => (onRoom = listener),
    flush: async () => {},
    close: () => closing.promise,
  }
  const { relay, output, start } = newRelay({ log })
  start()
  output.emit(Buffer.from('one'))
  assert.equal(output.paused, false)
  log.isFull = true
  output.emit(Buffer.from('two'))
  assert.equal(output.paused, true)
  let isDrained = false
  const drained = relay.drain({ timeoutMs: 1000, logTimeoutMs: 1000 }).then(() => (isDrained = true))
  assert.equal(output.paused, true)
  log.isFull = false
  onRoom()
  assert.equal(output.paused, false)
  output.end()
  await new Promise(setImmediate)
  assert.deepEqual([written, isDrained], [['one', 'two'], false])
  closing.resolve()
  await drained
})

test('Relay gives a log on a stalled disk up after a while', async () => {
  const never = new Promise<void>(() => {})
  const log = { isFull: false, write() {}, onRoom() {}, flush: async () => {}, close: () => never }
  const { relay, output, start } = newRelay({ log })
  start()
  output.end()
  await relay.drain({ timeoutMs: 1000, logTimeoutMs: 5 })
})
