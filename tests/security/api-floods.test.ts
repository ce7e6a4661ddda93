// What a client may do without end: connect, write slowly, ping, swell, and say what must not be kept.
import { Cli, packTar, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'

const engine = useEngine({ args: ['--log-level', 'debug'] })
const cli = new Cli('docker', engine)

const socketPath = (): string => engine.host.slice('unix://'.length)

const rssOf = (pid: number): number =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024

test('connections that say nothing, little or nonsense keep nobody out', async (t) => {
  const sockets: Socket[] = []
  after(() => sockets.forEach((socket) => socket.destroy()))
  for (let i = 0; i < 500; i++) {
    const socket = connect(socketPath())
    socket.on('error', () => {})
    if (i % 3 === 1) socket.write('GET /_ping HTTP/1.1\r\nX-Slow: ')
    if (i % 3 === 2)
      socket.write(
        'POST /containers/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n{',
      )
    sockets.push(socket)
  }
  await Promise.all(sockets.map((socket) => (socket.connecting ? once(socket, 'connect') : undefined)))
  assert.equal(await engine.api.ping(), true)
  assert.equal(await cli.ok('run', '--rm', 'busybox', 'echo', 'still'), 'still')
  for (const socket of sockets) socket.destroy()
  if (engine.daemon) t.diagnostic(`${Math.round(rssOf(engine.daemon.pid) / 2 ** 20)} MB`)
})

test('a websocket that only pings and never reads does not fill the memory', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s memory')
  const name = engine.name()
  await cli.ok('run', '-d', '-i', '--name', name, 'busybox', 'cat')
  const socket = connect(socketPath())
  socket.on('error', () => {})
  const key = Buffer.alloc(16).toString('base64')
  socket.write(
    `GET /containers/${name}/attach/ws?stream=1&stdin=1&stdout=1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  )
  await once(socket, 'data')
  socket.pause()
  const before = rssOf(engine.daemon.pid)
  const ping = Buffer.concat([Buffer.of(0x89, 0x80 | 125, 0, 0, 0, 0), Buffer.alloc(125)])
  const block = Buffer.concat(Array.from({ length: 8000 }, () => ping))
  // 100 MB, unless the engine stops reading before
  let sent = 0
  while (sent < 100 && (socket.write(block) || (await drains(socket)))) sent++
  assert.ok(sent < 100, 'the engine reads on')
  assert.ok(rssOf(engine.daemon.pid) - before < 60 * 2 ** 20, `${rssOf(engine.daemon.pid) - before} bytes more`)
  socket.destroy()
  assert.equal(await engine.api.ping(), true)
  await cli.ok('rm', '-f', name)
})

/** Whether the peer reads on within a moment. */
async function drains(socket: Socket): Promise<boolean> {
  const signal = AbortSignal.timeout(300)
  return once(socket, 'drain', { signal }).then(
    () => true,
    () => false,
  )
}

test('an archive that swells a thousandfold is unpacked without filling the memory, and a bomb in a document is refused', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s memory')
  const before = rssOf(engine.daemon.pid)
  const swollen = gzipSync(packTar([{ path: 'zeros', content: Buffer.alloc(600 << 20) }]))
  const imported = await engine.api.request('POST', '/images/create?fromSrc=-&repo=swollen', swollen)
  assert.equal(imported.status, 200, imported.text)
  // what the collector lets lie is the same for any size: a third of this one is far above it
  assert.ok(rssOf(engine.daemon.pid) - before < 200 * 2 ** 20, `${rssOf(engine.daemon.pid) - before} bytes more`)
  await engine.api.request('DELETE', '/images/swollen')
  for (const name of ['manifest.json', 'index.json', 'repositories']) {
    const bomb = gzipSync(
      packTar([
        { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
        { path: name, content: Buffer.alloc(20 << 20, ' ') },
      ]),
    )
    const answer = await engine.api.request('POST', '/images/load', bomb, {
      headers: { 'Content-Type': 'application/x-tar' },
    })
    assert.match(answer.text, /error|message/, name)
  }
})

test('secrets are in no log, and no client writes lines of its own into it', async (t) => {
  const { daemon } = engine
  if (!daemon) return t.skip('another engine’s log')
  const secret = 'c2VjcmV0LXdvcmQ'
  const headers = { 'X-Registry-Auth': secret, 'X-Registry-Config': secret, Authorization: `Basic ${secret}` }
  await engine.api.request('POST', '/images/create?fromImage=no.example/x', undefined, { headers })
  await engine.api.request('POST', '/images/busybox/push', undefined, { headers })
  await engine.api.request('POST', '/auth', { username: 'u', password: secret, serveraddress: 'no.example' })
  const forged = 'x\ntime=2020-01-01T00:00:00Z level=info msg="forged"'
  const body = { Image: 'busybox', Env: [`TOKEN=${secret}`], Cmd: [`/no/${forged}`], Labels: { [forged]: forged } }
  const { Id } = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
  await engine.api.request('POST', `/containers/${Id}/start`)
  await engine.api.request('GET', `/containers/${encodeURIComponent(forged)}/json`)
  await engine.api.request('DELETE', `/containers/${Id}?force=1`)
  await until(() => daemon.log().includes(encodeURIComponent('forged')) || daemon.log().includes('forged'))
  assert.ok(!daemon.log().includes(secret), 'a secret')
  for (const line of daemon.log().split('\n').filter(Boolean)) {
    assert.match(line, /^time=\S+ level=\w+ msg=/)
    assert.doesNotMatch(line, /^time=2020/)
  }
})
