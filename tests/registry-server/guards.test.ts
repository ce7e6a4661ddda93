import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { type BerthRegistryOptions, besideTheTest, command, startBerthRegistry, until } from '@berth/testing'
import { digestOf, refusal, RegistryClient, withDigest } from './registry-client.ts'

async function setUp(t: TestContext, options: BerthRegistryOptions = {}) {
  const registry = await startBerthRegistry(besideTheTest, options)
  t.after(() => registry[Symbol.asyncDispose]())
  return { registry, client: new RegistryClient(registry.host) }
}

const basic = (user: string, password: string) => ({ Authorization: `Basic ${btoa(`${user}:${password}`)}` })

test('--htpasswd lets nobody in without a password', async (t) => {
  const { registry, client } = await setUp(t, { users: { ann: 'secret' } })
  const answer = await client.get('/v2/')
  assert.deepEqual(
    [...refusal(answer), answer.headers['www-authenticate']],
    [401, 'UNAUTHORIZED', 'Basic realm="Berth registry"'],
  )
  for (const headers of [basic('ann', 'wrong'), basic('bob', 'secret'), basic('', ''), { Authorization: 'Bearer x' }]) {
    assert.equal((await client.get('/v2/', headers)).status, 401)
  }
  assert.equal((await client.send('POST', '/v2/a/blobs/uploads/', '')).status, 401)
  assert.equal((await client.get('/metrics')).status, 401)
  assert.equal((await client.get('/healthz')).status, 200)
  assert.equal((await client.get('/v2/', basic('ann', 'secret'))).status, 200)
  assert.doesNotMatch(registry.log(), /secret|wrong/)
})

test('--htpasswd is read again when it changes, and kept when it is wrong', async (t) => {
  const { registry, client } = await setUp(t, { users: { ann: 'secret' } })
  const path = join(registry.folder, 'htpasswd')
  const { stdout } = await command('htpasswd', ['-Bbn', 'bob', 'other'])
  appendFileSync(path, stdout)
  assert.equal((await client.get('/v2/', basic('bob', 'other'))).status, 200)
  const before = readFileSync(path)
  writeFileSync(path, 'bob:plain')
  assert.equal((await client.get('/v2/', basic('bob', 'other'))).status, 200)
  assert.match(registry.log(), /passwords kept: the file is wrong/)
  writeFileSync(path, before.toString().split('\n')[0]!)
  assert.equal((await client.get('/v2/', basic('bob', 'other'))).status, 401)
})

test('--anonymous-pull lets everybody read, and nobody write', async (t) => {
  const { registry, client } = await setUp(t, { users: { ann: 'secret' }, args: ['--anonymous-pull'] })
  await new RegistryClient(registry.host, basic('ann', 'secret')).pushImage('team/app', 'v1')
  assert.equal((await client.get('/v2/team/app/manifests/v1')).status, 200)
  assert.equal((await client.send('POST', '/v2/team/app/blobs/uploads/', '')).status, 401)
  assert.equal((await client.send('DELETE', '/v2/team/app/manifests/v1')).status, 401)
  assert.equal((await client.get('/v2/team/app/manifests/v1', basic('ann', 'wrong'))).status, 401)
})

test('--read-only and --no-delete refuse what they should', async (t) => {
  const { registry, client } = await setUp(t, { args: ['--no-delete'] })
  const { manifest } = await client.pushImage('team/app', 'v1')
  const path = `/v2/team/app/manifests/${manifest.digest}`
  assert.deepEqual(refusal(await client.send('DELETE', path)), [405, 'UNSUPPORTED'])
  await registry.stop()
  const other = await startBerthRegistry(besideTheTest, {
    args: ['--root', join(registry.folder, 'data'), '--read-only'],
  })
  t.after(() => other[Symbol.asyncDispose]())
  const reader = new RegistryClient(other.host)
  assert.equal((await reader.get(path)).status, 200)
  for (const [method, target] of [
    ['POST', '/v2/a/blobs/uploads/'],
    ['DELETE', path],
    ['PUT', '/v2/a/manifests/v1'],
  ] as const) {
    assert.deepEqual(refusal(await reader.send(method, target, 'x')), [405, 'UNSUPPORTED'])
  }
})

test('blobs, manifests and uploads are bounded', async (t) => {
  const { client, registry } = await setUp(t, {
    args: ['--max-blob-size', '1m', '--max-uploads', '3', '--max-storage', '3m'],
  })
  const large = Buffer.alloc(1024 * 1024 + 1)
  const path = await client.begin('a')
  assert.deepEqual(refusal(await client.send('PUT', withDigest(path, digestOf(large)), large)), [413, 'SIZE_INVALID'])
  assert.equal((await client.get(path)).status, 404)
  const manifest = await client.putManifest('a', 'v1', JSON.stringify({ x: 'x'.repeat(4 * 1024 * 1024) }))
  assert.deepEqual(refusal(manifest), [413, 'SIZE_INVALID'])
  for (let i = 0; i < 3; i++) await client.begin('a')
  assert.deepEqual(refusal(await client.send('POST', '/v2/a/blobs/uploads/', '')), [429, 'TOOMANYREQUESTS'])
  assert.match((await client.get('/metrics')).text, /^berth_registry_uploads 3$/m)
  await registry.stop()
  const full = await startBerthRegistry(besideTheTest, { args: ['--max-storage', '3m'] })
  t.after(() => full[Symbol.asyncDispose]())
  const pusher = new RegistryClient(full.host)
  const megabyte = (fill: number) => Buffer.alloc(1024 * 1024, fill)
  for (const fill of [1, 2]) await pusher.pushBlob('a', megabyte(fill))
  await pusher.pushBlob('a', megabyte(2))
  const over = Buffer.alloc(1024 * 1024 + 1, 3)
  assert.deepEqual(refusal(await pusher.send('PUT', withDigest(await pusher.begin('a'), digestOf(over)), over)), [
    507,
    'DENIED',
  ])
  await pusher.pushBlob('a', megabyte(4))
})

test('an upload without end is stopped, and nothing of it stays', async (t) => {
  const { client, registry } = await setUp(t, { args: ['--max-blob-size', '1m'] })
  const path = await client.begin('a')
  const socket = connect(Number(registry.host.split(':')[1]), '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(0x10000), Buffer.from('\r\n')])
  let sent = 0
  const more = () => {
    while (!socket.destroyed && sent < 1000 * chunk.length && socket.write(chunk)) sent += chunk.length
  }
  socket.on('drain', more)
  more()
  await new Promise((resolve) => socket.once('close', resolve))
  assert.match(registry.log(), /method=PATCH .*status=413 /)
  assert.ok(sent < 500 * chunk.length, `${sent} bytes were taken`)
  assert.equal((await client.get(path)).status, 404)
})

test('clients that are silent or trickle are cut off; the others are served', async (t) => {
  const { client, registry } = await setUp(t, { args: ['--idle-timeout', '500ms'] })
  const path = await client.begin('a')
  const socket = connect(Number(registry.host.split(':')[1]), '127.0.0.1')
  socket.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc`)
  await once(socket, 'close')
  await until(async () => (await client.get(path)).headers.range === '0-2')
  const reader = connect(Number(registry.host.split(':')[1]), '127.0.0.1')
  const { digest } = await client.pushBlob('a', Buffer.alloc(8 * 2 ** 20))
  reader.write(`GET /v2/a/blobs/${digest} HTTP/1.1\r\nHost: x\r\n\r\n`)
  reader.pause()
  await until(async () => /requests_active 1$/m.test((await client.get('/metrics')).text))
  reader.destroy()
})

test('--max-requests tells those beyond it to come back', async (t) => {
  const { client, registry } = await setUp(t, { args: ['--max-requests', '2'] })
  const sockets = await Promise.all(
    [1, 2].map(async () => {
      const path = await client.begin('a')
      const socket = connect(Number(registry.host.split(':')[1]), '127.0.0.1')
      socket.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc`)
      return socket
    }),
  )
  await until(async () => (await client.get('/v2/')).status === 429)
  const answer = await client.get('/v2/')
  assert.deepEqual([...refusal(answer), answer.headers['retry-after']], [429, 'TOOMANYREQUESTS', '1'])
  assert.equal((await client.get('/healthz')).status, 200)
  for (const socket of sockets) socket.destroy()
  await until(async () => (await client.get('/v2/')).status === 200)
})

test('names and paths that climb, and requests that smuggle, reach nothing', async (t) => {
  const { client, registry } = await setUp(t)
  await client.pushImage('team/app', 'v1')
  for (const path of [
    '/v2/../../../etc/passwd',
    '/v2/team/app/blobs/../../../../registry.db',
    '/v2/team/../app/tags/list',
    '/v2/%2e%2e/tags/list',
    '/v2/team/app/blobs/sha256:..%2f..%2f..%2fregistry.db',
    '/v2/team/app/blobs/uploads/..%2f..%2fregistry.db',
    '/v2/team/app/blobs/uploads/00000000000000000000000000000000',
    '/v2/team/app/manifests/..%2f..%2fx',
    '/v2/__proto__/tags/list',
    '/content/blobs',
    `/v2/${'a/'.repeat(4000)}tags/list`,
  ]) {
    const { status } = await client.get(path)
    assert.ok([400, 404].includes(status), `${path}: ${status}`)
  }
  const socket = connect(Number(registry.host.split(':')[1]), '127.0.0.1')
  socket.end(
    'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n',
  )
  const answers = await text(socket)
  assert.match(answers, /^HTTP\/1.1 400 /)
  assert.doesNotMatch(answers, /repositories/)
  await client.get('/v2/x\u2028level=error msg="forged"').catch(() => undefined)
  await client.get('/v2/', { 'User-Agent': 'x" level=error msg="forged' })
  assert.equal(
    registry
      .log()
      .split('\n')
      .filter((line) => /^\S+ level=error/.test(line)).length,
    0,
  )
})

test('metrics count requests and bytes', async (t) => {
  const { client } = await setUp(t)
  await client.pushBlob('a', Buffer.alloc(100_000, 1))
  await client.get('/v2/none/tags/list')
  await client.send('BREW', '/v2/').catch(() => undefined)
  const { text: metrics } = await client.get('/metrics')
  assert.match(metrics, /^berth_registry_requests_total\{method="PUT",status="201"\} 1$/m)
  assert.match(metrics, /^berth_registry_requests_total\{method="GET",status="404"\} 1$/m)
  assert.match(metrics, /^berth_registry_received_bytes_total 1\d{5}$/m)
  assert.match(metrics, /^berth_registry_stored_bytes 100000$/m)
})

test('--tls-cert serves TLS, --client-ca takes known clients only', async (t) => {
  const { registry } = await setUp(t)
  const { folder } = registry
  const made = await command('openssl', [
    ...newKey,
    '-keyout',
    join(folder, 'k.pem'),
    '-out',
    join(folder, 'c.pem'),
    ...named,
  ])
  assert.equal(made.code, 0, made.stderr)
  const [cert, key] = [readFileSync(join(folder, 'c.pem')), readFileSync(join(folder, 'k.pem'))]
  const files = ['--tls-cert', join(folder, 'c.pem'), '--tls-key', join(folder, 'k.pem')]
  const get = async (host: string, tls: object) => {
    const outgoing = httpsRequest(`https://${host}/v2/`, { ca: cert, agent: false, ...tls }).end()
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
    answer.resume()
    return answer.statusCode
  }
  const open = await startBerthRegistry(besideTheTest, { args: files })
  t.after(() => open[Symbol.asyncDispose]())
  assert.equal(await get(open.host, {}), 200)
  const closed = await startBerthRegistry(besideTheTest, { args: [...files, '--client-ca', join(folder, 'c.pem')] })
  t.after(() => closed[Symbol.asyncDispose]())
  assert.equal(await get(closed.host, { cert, key }), 200)
  await assert.rejects(get(closed.host, {}))
})

const newKey = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
const named = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1']

test('wrong options are refused before anything is made', async () => {
  for (const [args, words] of [
    [['--htpasswd', '/nowhere/users'], /ENOENT|cannot/],
    [['--tls-cert', '/nowhere/c', '--tls-key', '/nowhere/k'], /cannot read \/nowhere\/c/],
    [['--log-level', 'loud'], /--log-level/],
  ] as const) {
    await assert.rejects(startBerthRegistry(besideTheTest, { args }), words)
  }
})
