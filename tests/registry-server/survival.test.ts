import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { type BerthRegistry, type BerthRegistryOptions, besideTheTest, startBerthRegistry, until } from '@berth/testing'
import { digestOf, pathOf, RegistryClient, withDigest } from './registry-client.ts'

async function setUp(t: TestContext, options: BerthRegistryOptions = {}) {
  const registry = await startBerthRegistry(besideTheTest, options)
  t.after(() => registry[Symbol.asyncDispose]())
  return { registry, client: new RegistryClient(registry.host) }
}

/** A PATCH that sends `bytes` and leaves its body open. */
function beginPatch(host: string, path: string, bytes: Buffer): { outgoing: ClientRequest; ended: Promise<unknown> } {
  const [hostname, port] = host.split(':')
  const headers = { 'Content-Type': 'application/octet-stream' }
  const outgoing = request({ hostname, port, path, method: 'PATCH', headers, agent: false })
  const { promise, resolve } = Promise.withResolvers<unknown>()
  outgoing.on('response', (answer: IncomingMessage) => (answer.resume(), resolve(answer.statusCode)))
  outgoing.on('error', resolve)
  outgoing.write(bytes)
  return { outgoing, ended: promise }
}

const uploadFiles = ({ folder }: BerthRegistry): string[] => readdirSync(join(folder, 'data/uploads'))
const blobFiles = ({ folder }: BerthRegistry): string[] => readdirSync(join(folder, 'data/content/blobs/sha256'))
const offsetOf = async (client: RegistryClient, path: string): Promise<number> => {
  const { status, headers } = await client.get(path)
  assert.equal(status, 204)
  return Number(String(headers.range).split('-')[1]) + 1
}

const blob = randomBytes(3_000_000)

test('an upload goes on after the registry was stopped, and after it was killed', async (t) => {
  const { registry, client } = await setUp(t)
  const path = await client.begin('team/app')
  await client.send('PATCH', path, blob.subarray(0, 1_000_000))
  assert.equal(await registry.stop('SIGTERM'), 0)
  await registry.start()
  assert.equal(await offsetOf(client, path), 1_000_000)
  const range = { 'Content-Range': '1000000-1999999' }
  assert.equal((await client.send('PATCH', path, blob.subarray(1_000_000, 2_000_000), range)).status, 202)
  await registry.stop('SIGKILL')
  await registry.start()
  assert.equal(await offsetOf(client, path), 2_000_000)
  const done = await client.send('PUT', withDigest(path, digestOf(blob)), blob.subarray(2_000_000))
  assert.deepEqual([done.status, pathOf(done)], [201, `/v2/team/app/blobs/${digestOf(blob)}`])
  assert.deepEqual(uploadFiles(registry), [])
})

test('kill -9 while bytes come leaves no half blob, and what came is kept', async (t) => {
  const { registry, client } = await setUp(t)
  const path = await client.begin('team/app')
  const { ended } = beginPatch(registry.host, path, blob.subarray(0, 1_000_000))
  await until(async () => (await sizes(registry)) >= 500_000)
  await registry.stop('SIGKILL')
  await ended
  await registry.start()
  assert.deepEqual(blobFiles(registry), [])
  assert.equal((await client.head(`/v2/team/app/blobs/${digestOf(blob)}`)).status, 404)
  const offset = await offsetOf(client, path)
  assert.ok(offset >= 500_000)
  const done = await client.send('PUT', withDigest(path, digestOf(blob)), blob.subarray(offset))
  assert.equal(done.status, 201, done.text)
})

async function sizes({ folder }: BerthRegistry): Promise<number> {
  const { statSync } = process.getBuiltinModule('node:fs')
  return readdirSync(join(folder, 'data/uploads')).reduce(
    (sum, name) => sum + statSync(join(folder, 'data/uploads', name)).size,
    0,
  )
}

for (const point of ['registry: blob moved']) {
  test(`a registry that dies at "${point}" has whole blobs only, and the push can be made again`, async (t) => {
    const { registry, client } = await setUp(t)
    await registry.stop()
    await registry.start({ BERTH_FAULT: point })
    const path = await client.begin('team/app')
    await assert.rejects(client.send('PUT', withDigest(path, digestOf(blob)), blob))
    await registry.ended()
    await registry.start()
    assert.equal((await client.head(`/v2/team/app/blobs/${digestOf(blob)}`)).status, 404)
    assert.equal((await client.pushBlob('team/app', blob)).digest, digestOf(blob))
  })
}

test('a client that comes back on another connection takes its upload over', async (t) => {
  const { registry, client } = await setUp(t)
  const path = await client.begin('team/app')
  const { ended } = beginPatch(registry.host, path, blob.subarray(0, 600_000))
  await until(async () => (await sizes(registry)) >= 500_000)
  const offset = await offsetOf(client, path)
  assert.match(String(await ended), /ECONNRESET|socket hang up/)
  const done = await client.send('PUT', withDigest(path, digestOf(blob)), blob.subarray(offset))
  assert.equal(done.status, 201, done.text)
})

test('SIGTERM lets the request under way finish', async (t) => {
  const { registry, client } = await setUp(t)
  const path = await client.begin('team/app')
  const { outgoing, ended } = beginPatch(registry.host, path, blob.subarray(0, 600_000))
  await until(async () => (await sizes(registry)) >= 500_000)
  const stopped = registry.stop('SIGTERM')
  await until(async () => registry.log().includes('msg=stopping'))
  outgoing.end(blob.subarray(600_000, 700_000))
  assert.deepEqual([await ended, await stopped], [202, 0])
  await registry.start()
  assert.equal(await offsetOf(client, path), 700_000)
})

test('garbage is what no manifest needs, once its grace is over', async (t) => {
  const { registry, client } = await setUp(t, {
    args: ['--gc-interval', '200ms', '--gc-grace', '1s', '--upload-expiry', '1s'],
  })
  const image = await client.pushImage('team/app', 'v1')
  await client.pushBlob('team/app', 'an orphan')
  const path = await client.begin('team/app')
  await client.send('PATCH', path, 'abandoned')
  await until(async () => blobFiles(registry).length === 3)
  await until(async () => uploadFiles(registry).length === 0)
  assert.equal((await client.get(path)).status, 404)
  assert.equal((await client.get(`/v2/team/app/blobs/${image.layer.digest}`)).text, 'layer of team/app:v1')
  await client.send('DELETE', `/v2/team/app/manifests/${image.manifest.digest}`)
  await until(async () => blobFiles(registry).length === 0)
  await client.pushImage('team/app', 'v1')
})

test('--delete-untagged takes manifests that nothing holds, and spares indexes’ and subjects’', async (t) => {
  const args = ['--gc-interval', '200ms', '--gc-grace', '1s', '--delete-untagged']
  const { registry, client } = await setUp(t, { args })
  const old = await client.pushImage('team/app', 'v1')
  const tagged = await client.pushImage('team/app', 'v1', { annotations: { a: 'b' } })
  const child = await client.pushImage('team/app', 'child')
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [child.manifest] }
  await client.putManifest('team/app', 'index', index)
  await client.send('DELETE', '/v2/team/app/manifests/child')
  const referrer = await client.pushImage('team/app', 'sig', { subject: tagged.manifest })
  await client.send('DELETE', '/v2/team/app/manifests/sig')
  const status = async (digest: string) => (await client.head(`/v2/team/app/manifests/${digest}`)).status
  await until(async () => (await status(old.manifest.digest)) === 404)
  for (const { manifest } of [tagged, child, referrer]) assert.equal(await status(manifest.digest), 200)
  await until(async () => !blobFiles(registry).includes(old.manifest.digest.slice(7)))
})

test('a registry that dies between forgetting and freeing frees later', async (t) => {
  const { registry, client } = await setUp(t, { args: ['--gc-interval', '300ms', '--gc-grace', '1s'] })
  await client.pushImage('team/app', 'v1')
  await client.pushBlob('team/app', 'an orphan')
  await registry.stop('SIGKILL')
  await registry.start({ BERTH_FAULT: 'registry: garbage forgotten' })
  await registry.ended()
  await registry.start()
  await until(async () => blobFiles(registry).length === 3)
  assert.equal((await client.get('/v2/team/app/manifests/v1')).status, 200)
})

test('two registries do not share a folder', async (t) => {
  const { registry } = await setUp(t)
  await assert.rejects(
    startBerthRegistry(besideTheTest, { args: ['--root', join(registry.folder, 'data')] }),
    /another registry runs on/,
  )
})
