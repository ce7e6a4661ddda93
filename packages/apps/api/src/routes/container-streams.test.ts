import { invalid, notFound } from '@berth/base'
import { encodeFrame } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Duplex, PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { execId, fakeContainer, serve } from '../testing/fakes.ts'

const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: tcp']

/** A process that repeats its input on stdout and ends when its input does. */
function echo(): Duplex {
  return new PassThrough({
    transform(chunk: Buffer, _, done) {
      done(null, encodeFrame(1, chunk))
    },
  })
}

const exec = {
  id: execId,
  containerId: fakeContainer().id,
  running: false,
  exitCode: null,
  pid: 0,
  config: {
    user: '',
    privileged: false,
    tty: false,
    attachStdin: true,
    attachStdout: true,
    attachStderr: true,
    detachKeys: '',
    env: [],
    workingDir: '',
    cmd: ['cat', '-'],
  },
}

test('POST /exec/{id}/start upgrades, takes the input that came with the request and closes at the end', async () => {
  await using api = await serve({
    containers: {
      getExec: () => exec,
      startExec: (_, { tty }) => Promise.resolve({ stream: echo(), tty }),
    },
  })
  const lines = [`POST /v1.51/exec/${execId}/start HTTP/1.1`, ...upgrade, 'Content-Type: application/json']
  const connection = api.raw([...lines, 'Content-Length: 2'], '{}early')
  await connection.until('early')
  connection.socket.end('late')
  const text = await connection.ended
  const [head = '', body] = text.split('\r\n\r\n')
  assert.deepEqual(head.split('\r\n').slice(0, 4), [
    'HTTP/1.1 101 UPGRADED',
    'Content-Type: application/vnd.docker.multiplexed-stream',
    'Connection: Upgrade',
    'Upgrade: tcp',
  ])
  assert.match(head, /\r\nApi-Version: 1\.51/)
  assert.equal(body, encodeFrame(1, 'early').toString() + encodeFrame(1, 'late').toString())
})

test('POST /exec/{id}/start takes all input of a client that ends at once', async () => {
  const started = Promise.withResolvers<void>()
  await using api = await serve({
    containers: {
      getExec: () => exec,
      async startExec(_, { tty }) {
        await started.promise
        return { stream: echo(), tty }
      },
    },
  })
  const lines = [`POST /exec/${execId}/start HTTP/1.1`, ...upgrade, 'Content-Type: application/json']
  for (const input of ['input', '']) {
    const connection = api.raw([...lines, 'Content-Length: 2'], `{}${input}`)
    connection.socket.end()
    setTimeout(started.resolve, 20)
    const text = await connection.ended
    assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), input && encodeFrame(1, input).toString())
  }
})

test('POST /exec/{id}/start takes its body in pieces, by chunks too', async () => {
  await using api = await serve({
    containers: { getExec: () => exec, startExec: (_, { tty }) => Promise.resolve({ stream: echo(), tty }) },
  })
  const lines = [`POST /exec/${execId}/start HTTP/1.1`, ...upgrade, 'Content-Type: application/json']
  const connection = api.raw([...lines, 'Transfer-Encoding: chunked'], '2\r\n{')
  connection.socket.write('}\r\n0\r\n\r\ninput')
  assert.match(await connection.until('input'), /101 UPGRADED/)
  connection.socket.end()
  await connection.ended
})

test('POST /exec/{id}/start without an upgrade answers with a raw stream and gives no input', async () => {
  await using api = await serve({
    containers: { getExec: () => exec, startExec: (_, { tty }) => Promise.resolve({ stream: echo(), tty }) },
  })
  const { status, headers } = await api.call('POST', `/exec/${execId}/start`, {})
  assert.deepEqual([status, headers['content-type']], [200, 'application/vnd.docker.raw-stream'])
  assert.equal(headers['transfer-encoding'], undefined)
})

test('POST /exec/{id}/start detached answers 200 without a body; errors before the stream are JSON', async () => {
  const paused = fakeContainer({ state: { ...fakeContainer().state, status: 'paused' } })
  let container = fakeContainer()
  await using api = await serve({
    containers: {
      get: () => container,
      getExec(id) {
        if (id === execId) return exec
        throw notFound(`No such exec instance: ${id}`)
      },
      startExec: () => Promise.resolve(undefined),
    },
  })
  const detached = await api.call('POST', `/exec/${execId}/start`, { Detach: true })
  assert.deepEqual([detached.status, detached.text], [200, ''])
  assert.match((await api.call('POST', '/exec/x/start', {})).text, /No such exec instance: x/)
  container = paused
  const lines = [`POST /exec/${execId}/start HTTP/1.1`, ...upgrade, 'Content-Type: application/json']
  const refused = await api.raw([...lines, 'Content-Length: 2'], '{}').ended
  assert.match(refused, /^HTTP\/1\.1 409 Conflict[^]*is paused, unpause the container before exec/)
})

test('GET /exec/{id}/json and POST /containers/{id}/exec', async () => {
  const created: unknown[] = []
  await using api = await serve({
    containers: {
      getExec: () => exec,
      async createExec(_, config) {
        created.push(config.cmd, config.consoleSize)
        return execId
      },
    },
  })
  const body = { Cmd: ['ls'], Tty: true, ConsoleSize: [24, 80] }
  const answer = await api.call('POST', '/containers/web/exec', body)
  assert.deepEqual([answer.status, JSON.parse(answer.text)], [201, { Id: execId }])
  assert.deepEqual(created, [['ls'], { rows: 24, columns: 80 }])
  const shown = (await api.json(`/exec/${execId}/json`)) as Record<string, unknown>
  assert.deepEqual(shown['ProcessConfig'], { tty: false, entrypoint: 'cat', arguments: ['-'], privileged: false })
  assert.deepEqual([shown['OpenStdin'], shown['ExitCode'], shown['CanRemove']], [true, null, false])
  assert.match((await api.call('POST', '/containers/web/exec')).text, /No exec command specified/)
})

test('POST /containers/{id}/attach names its media type by version and terminal', async () => {
  let tty = false
  await using api = await serve({
    containers: { attach: () => Promise.resolve({ stream: new PassThrough().end('x'), tty }) },
  })
  const type = async (version: string) => {
    const target = `/v${version}/containers/web/attach?stream=1&stdout=1`
    const text = await api.raw([`POST ${target} HTTP/1.1`, ...upgrade, 'Content-Length: 0']).ended
    return /Content-Type: application\/vnd\.docker\.(\S+)/.exec(text)?.[1]
  }
  assert.deepEqual([await type('1.41'), await type('1.42')], ['raw-stream', 'multiplexed-stream'])
  tty = true
  assert.equal(await type('1.51'), 'raw-stream')
})

test('POST /containers/{id}/attach keeps the output when the client ends its input', async () => {
  const process = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const lines = ['POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1', ...upgrade]
  const connection = api.raw([...lines, 'Content-Length: 0'])
  await connection.until('101')
  connection.socket.end()
  await once(process, 'finish')
  process.push('after')
  assert.match(await connection.until('after'), /after$/)
  process.push(null)
  await connection.ended
})

test("POST /containers/{id}/attach tears the service's stream down when the client is gone", async () => {
  const process = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() })
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const lines = ['POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1', ...upgrade]
  const connection = api.raw([...lines, 'Content-Length: 0'])
  await connection.until('101')
  connection.socket.destroy()
  const closed = new Promise((resolve) => process.once('close', resolve))
  const writing = setInterval(() => process.push('x'.repeat(1024)), 2)
  await closed
  clearInterval(writing)
  assert.equal(process.destroyed, true)
})

test('POST /containers/{id}/attach is no faster than its client reads, and loses nothing', async () => {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  let left = 1024
  const process = new Duplex({
    read(this: Duplex) {
      this.push(left-- > 0 ? chunk : null)
    },
    write: (_chunk, _encoding, done) => done(),
  })
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const lines = ['POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1', ...upgrade]
  const connection = api.raw([...lines, 'Content-Length: 0'])
  await connection.until('101')
  connection.socket.pause()
  for (let before = -1; before !== left; await delay(50)) before = left
  assert.ok(left > 512, `${left} of 1024 chunks are left`)
  connection.socket.resume()
  const text = await connection.ended
  assert.equal(text.length - text.indexOf('\r\n\r\n') - 4, 1024 * chunk.length)
})

test('POST /containers/{id}/attach cuts the client off when the stream breaks, or was broken before', async () => {
  const broken = new Duplex({ read: () => undefined }).destroy()
  const breaking = new Duplex({ read: () => undefined })
  const streams = [breaking, broken]
  await using api = await serve({
    containers: { attach: () => Promise.resolve({ stream: streams.shift() ?? broken, tty: true }) },
  })
  const lines = ['POST /containers/web/attach?stream=1&stdout=1 HTTP/1.1', ...upgrade]
  const first = api.raw([...lines, 'Content-Length: 0'])
  await first.until('101')
  breaking.push('half')
  await first.until('half')
  breaking.destroy(new Error('broken'))
  assert.match(await first.ended, /half$/)
  assert.doesNotMatch(await api.raw([...lines, 'Content-Length: 0']).ended, /half/)
})

test('POST /exec/{id}/start frames the output of a terminal for a client that started it without one', async () => {
  const stream = new PassThrough()
  const terminal = { ...exec, config: { ...exec.config, tty: true } }
  await using api = await serve({
    containers: { getExec: () => terminal, startExec: () => Promise.resolve({ stream, tty: false }) },
  })
  const lines = [`POST /exec/${execId}/start HTTP/1.1`, ...upgrade, 'Content-Type: application/json']
  const connection = api.raw([...lines, 'Content-Length: 2'], '{}')
  stream.end('hello')
  const text = await connection.ended
  assert.equal(text.slice(text.indexOf('\r\n\r\n') + 4), encodeFrame(1, 'hello').toString())
  assert.equal(stream.destroyed, true)
})

test('POST /containers/{id}/attach refuses in plain text', async () => {
  await using api = await serve({
    containers: { attach: () => Promise.reject(invalid('Invalid detach keys (zz,zz) provided')) },
  })
  const lines = ['POST /containers/web/attach?stream=1&detachKeys=zz,zz HTTP/1.1', ...upgrade]
  const text = await api.raw([...lines, 'Content-Length: 0']).ended
  assert.match(text, /^HTTP\/1\.1 400 Bad Request\r\n[^]*\r\n\r\nInvalid detach keys \(zz,zz\) provided\r\n$/)
})

test('GET /containers/{id}/logs reads its parameters and streams', async () => {
  const queries: unknown[] = []
  await using api = await serve({
    containers: {
      logs(_, query, follow) {
        queries.push(query, follow !== undefined)
        return { tty: false, chunks: lines() }
      },
    },
  })
  async function* lines() {
    yield encodeFrame(1, 'a\n')
    yield encodeFrame(2, 'b\n')
  }
  const target = '/v1.41/containers/web/logs?stdout=1&stderr=0&tail=2&since=1.5&timestamps=1&follow=1'
  const { headers, text } = await api.call('GET', target)
  assert.equal(headers['content-type'], 'application/vnd.docker.raw-stream')
  assert.equal(text, encodeFrame(1, 'a\n').toString() + encodeFrame(2, 'b\n').toString())
  const expected = { stdout: true, stderr: false, timestamps: true, details: false, sinceNs: 1_500_000_000n, tail: 2 }
  assert.deepEqual(queries, [expected, true])
  assert.match((await api.call('GET', '/containers/web/logs')).text, /you must choose at least one stream/)
})

test('GET /containers/{id}/logs stops reading for a client that does not read, and ends with it', async () => {
  let produced = 0
  const ended = Promise.withResolvers<void>()
  async function* endless() {
    try {
      for (;;) {
        produced++
        yield Buffer.alloc(64 * 1024)
      }
    } finally {
      ended.resolve()
    }
  }
  await using api = await serve({ containers: { logs: () => ({ tty: true, chunks: endless() }) } })
  const response = await api.open('GET', '/containers/web/logs?stdout=1&follow=1')
  response.pause()
  await settled(() => produced)
  assert.ok(produced < 200, `${produced} chunks were made for nobody`)
  response.destroy()
  await ended.promise
})

test('GET /containers/{id}/stats streams or gives one document', async () => {
  const options: unknown[] = []
  await using api = await serve({
    containers: {
      async *stats(_, { stream, oneShot }) {
        options.push([stream, oneShot])
        yield { id: 'a' }
        if (stream) yield { id: 'b' }
      },
    },
  })
  assert.equal((await api.call('GET', '/containers/web/stats')).text, '{"id":"a"}\n{"id":"b"}\n')
  assert.equal((await api.call('GET', '/containers/web/stats?stream=0&one-shot=1')).text, '{"id":"a"}\n')
  assert.deepEqual(options, [
    [true, false],
    [false, true],
  ])
  assert.match((await api.call('GET', '/containers/web/stats?one-shot=1')).text, /cannot have stream=true/)
})

test('POST /containers/{id}/resize reads height and width', async () => {
  const sizes: unknown[] = []
  await using api = await serve({
    containers: {
      resize(_, size) {
        sizes.push(size)
        return Promise.resolve()
      },
    },
  })
  assert.equal((await api.call('POST', '/containers/web/resize?h=24&w=80')).status, 200)
  assert.deepEqual(sizes, [{ rows: 24, columns: 80 }])
  assert.match((await api.call('POST', '/containers/web/resize')).text, /invalid resize height \\"\\": invalid syntax/)
})

test('POST /containers/{id}/attach holds back the side whose reader is slow', async () => {
  let produced = 0
  const held: (() => void)[] = []
  const process = new Duplex({
    read() {
      if (produced++ < 1000) this.push(Buffer.alloc(64 * 1024))
    },
    write(_chunk, _encoding, done) {
      held.push(done)
    },
  })
  await using api = await serve({ containers: { attach: () => Promise.resolve({ stream: process, tty: true }) } })
  const lines = ['POST /containers/web/attach?stream=1&stdin=1&stdout=1 HTTP/1.1', ...upgrade]
  const connection = api.raw([...lines, 'Content-Length: 0'])
  await connection.until('101')
  connection.socket.pause()
  const input = Buffer.alloc(16 * 1024 * 1024)
  assert.equal(connection.socket.write(input), false)
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve))
  await settled(() => produced)
  assert.ok(produced < 200, `${produced} chunks were made for nobody`)
  assert.equal(held.length, 1)
  assert.ok(process.writableLength < 1024 * 1024, `${process.writableLength} bytes wait in memory`)
  connection.socket.destroy()
})

/** Resolves when the count stands still. */
async function settled(count: () => number): Promise<void> {
  let before = -1
  while (before !== count()) {
    before = count()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
