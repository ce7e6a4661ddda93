import { conflict, silentLogger } from '@berth/base'
import type { Events } from '@berth/events'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { createApi } from './api.ts'
import { authority, clientCertificate, clientKey, serverCertificate, serverKey, until } from '@berth/testing'
import { fakeDeps, serve } from './testing/fakes.ts'

test('Api answers _ping by GET and HEAD with the headers that clients negotiate by', async () => {
  await using api = await serve()
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, text } = await api.call(method, '/_ping')
    assert.deepEqual([status, text], [200, method === 'GET' ? 'OK' : ''])
    assert.deepEqual(
      [headers['api-version'], headers['builder-version'], headers['ostype'], headers['docker-experimental']],
      ['1.51', '2', 'linux', 'false'],
    )
    assert.deepEqual([headers['pragma'], headers['swarm']], ['no-cache', 'inactive'])
    assert.match(String(headers['server']), /^Berth\/1\.2\.3 \(linux\)$/)
  }
})

test('Api answers unknown paths, methods and versions as Docker does', async () => {
  await using api = await serve()
  const notFound = '{"message":"page not found"}\n'
  for (const [method, target] of [
    ['GET', '/nope'],
    ['GET', '/v1.51/nope'],
    ['GET', '/v1.23/nope'],
    ['GET', '/vabc/info'],
    ['POST', '/containers/json'],
    ['GET', '/containers/json/'],
    ['GET', '/_ping/'],
    ['GET', '/images/busybox'],
    ['GET', '/images/busybox/constructor'],
    ['GET', '/info/x'],
    ['GET', '/%zz'],
  ] as const) {
    assert.deepEqual(await api.call(method, target).then(({ status, text }) => [status, text]), [404, notFound], target)
  }
  assert.match((await api.call('GET', '/v1.23/info')).text, /client version 1\.23 is too old/)
  assert.equal((await api.call('GET', '/v1.52/info')).status, 400)
  assert.equal((await api.call('OPTIONS', '/nope')).status, 200)
  const moved = await api.call('POST', '//containers//x/start?t=1')
  assert.deepEqual([moved.status, moved.headers['location']], [301, '/containers/x/start?t=1'])
})

test('Api survives what is not HTTP and says so', async () => {
  await using api = await serve()
  assert.match(await api.raw(['garbage']).ended, /^HTTP\/1\.1 400 Bad Request\r\n/)
  assert.match(await api.raw(['GET /_ping HTTP/1.1', `X: ${'x'.repeat(300_000)}`]).ended, /^HTTP\/1\.1 431 /)
  assert.match(await api.raw(['GET http://d/v1.44/_ping HTTP/1.1', 'Host: d', 'Connection: close']).ended, /OK$/)
  assert.equal((await api.call('GET', '/_ping')).status, 200)
})

test('Api answers a client that ended its sending', async () => {
  await using api = await serve()
  const { socket, ended } = api.raw(['GET /_ping HTTP/1.1', 'Host: x'])
  socket.end()
  assert.match(await ended, /OK$/)
})

test('Api turns errors into their status and hides nothing else behind them', async () => {
  await using api = await serve({
    containers: {
      start: () => Promise.reject(conflict('no')),
      stop: () => Promise.reject(new Error('bug')),
    },
  })
  assert.deepEqual(await api.call('POST', '/containers/web/start').then(({ status, text }) => [status, text]), [
    409,
    '{"message":"no"}\n',
  ])
  assert.equal((await api.call('POST', '/containers/web/stop')).status, 500)
})

test('Api refuses a client that still writes once it has written, or after a moment', async () => {
  await using api = await serve({ containers: { stop: () => Promise.reject(conflict('no')) } })
  const head = ['POST /containers/web/stop HTTP/1.1', 'Host: x', 'Content-Length: 10', 'Connection: close']
  const { socket, ended } = api.raw(head)
  assert.equal(await Promise.race([ended, delay(50, 'nothing yet')]), 'nothing yet')
  socket.write('0123456789')
  assert.match(await ended, /^HTTP\/1\.1 409 /)
  assert.match(await api.raw(head).ended, /^HTTP\/1\.1 409 /)
})

test('Api.listen() replaces a stale socket, refuses a live one and what is none', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-listen-'))
  const path = join(directory, 'a.sock')
  const listen = async () => {
    const api = createApi(fakeDeps())
    await api.listen({ kind: 'unix', path })
    return api
  }
  const first = await listen()
  assert.equal((await stat(path)).mode & 0o777, 0o660)
  await assert.rejects(listen(), /another process does/)
  await first.close(0)
  await assert.rejects(stat(path), { code: 'ENOENT' })
  await writeFile(path, '')
  await assert.rejects(listen(), /it exists and is no socket/)
  await rm(path)
  await leaveStaleSocket(path)
  await (await listen()).close(0)
  await rm(directory, { recursive: true })
})

/** Node removes a socket that it closes, so the file has to go out of its sight. */
async function leaveStaleSocket(path: string): Promise<void> {
  const { rename } = await import('node:fs/promises')
  const server = createServer()
  server.listen(`${path}.tmp`)
  await once(server, 'listening')
  await rename(`${path}.tmp`, path)
  server.close()
  await once(server, 'close')
  await chmod(path, 0o600)
}

test('Api.listen() keeps a crowd of clients waiting rather than refusing some', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'berth-crowd-'))
  const path = join(directory, 'a.sock')
  const api = createApi(fakeDeps())
  await api.listen({ kind: 'unix', path })
  // All of them connect before the server has a turn to accept one.
  const crowd = Array.from({ length: 700 }, () => connect(path))
  const outcomes = await Promise.allSettled(crowd.map((client) => once(client, 'connect')))
  for (const client of crowd) client.destroy()
  await api.close(0)
  await rm(directory, { recursive: true })
  assert.equal(outcomes.filter(({ status }) => status === 'rejected').length, 0)
})

test('Api.listen() names a group that does not exist and a path that is too long', async () => {
  const api = createApi(fakeDeps())
  const path = join(tmpdir(), `${'x'.repeat(120)}.sock`)
  await assert.rejects(api.listen({ kind: 'unix', path }), /longer than 107 bytes/)
  await api.close(0)
})

test('Api.listen() serves several sockets and warns of an open port', async () => {
  const warnings: string[] = []
  const log = { ...silentLogger, warn: (_: object, message: string) => void warnings.push(message) }
  const api = createApi({ ...fakeDeps(), log })
  const first = await api.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
  const second = await api.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 })
  for (const { address } of [first, second]) {
    const port = typeof address === 'object' ? address?.port : undefined
    const answer = await fetch(`http://127.0.0.1:${port}/_ping`, { headers: { connection: 'close' } })
    assert.equal(await answer.text(), 'OK')
  }
  assert.equal(warnings.length, 2)
  await api.close(0)
})

test('Api.listen() with an authority serves only clients that have a certificate of it', async () => {
  const api = createApi(fakeDeps())
  const tls = { certificate: serverCertificate, key: serverKey, clientAuthority: authority }
  const { address } = await api.listen({ kind: 'tcp', host: '127.0.0.1', port: 0, tls })
  const port = typeof address === 'object' ? address?.port : undefined
  const ping = async (identity: object): Promise<string> => {
    const options = { host: '127.0.0.1', port, path: '/_ping', ca: authority, agent: false, ...identity }
    const [response] = (await once(request(options).end(), 'response')) as [IncomingMessage]
    return String((await response.toArray()).join(''))
  }
  assert.equal(await ping({ cert: clientCertificate, key: clientKey }), 'OK')
  await assert.rejects(ping({}))
  await api.close(0)
})

test('Api lets go of a connection that was to be upgraded and was refused, whatever the client sent along', async () => {
  await using api = await serve({ containers: { attach: () => Promise.reject(conflict('no')) } })
  const descriptors = () => readdirSync('/proc/self/fd').length
  const before = descriptors()
  for (let i = 0; i < 20; i++) {
    const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: tcp']
    const connection = api.raw(['POST /containers/web/attach?stream=1 HTTP/1.1', ...upgrade])
    connection.socket.write('more')
    assert.match(await connection.ended, /^HTTP\/1\.1 409 /)
    connection.socket.destroy()
  }
  await until(() => descriptors() <= before + 2)
})

test('Api.close() cuts hijacked connections at once', async () => {
  const attached = { stream: new PassThrough(), tty: true }
  await using api = await serve({ containers: { attach: () => Promise.resolve(attached) } })
  const upgrade = ['Host: x', 'Connection: Upgrade', 'Upgrade: tcp', 'Content-Length: 0']
  const connection = api.raw(['POST /containers/web/attach?stream=1 HTTP/1.1', ...upgrade])
  await connection.until('101')
  await Promise.all([api.close(), connection.ended])
  assert.equal(attached.stream.destroyed, true)
})

test('Api.close() ends answers that have no end, and is done', async () => {
  const seen: AbortSignal[] = []
  const events: Partial<Events> = {
    async *subscribe(_, signal) {
      seen.push(signal)
      yield* await once(signal, 'abort').then(() => [])
    },
  }
  await using api = await serve({ events })
  const response = await api.open('GET', '/events')
  assert.equal(response.headers['transfer-encoding'], 'chunked')
  await Promise.all([api.close(), once(response.resume(), 'end')])
  assert.equal(seen[0]?.aborted, true)
})
