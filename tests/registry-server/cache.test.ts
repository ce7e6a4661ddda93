import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import {
  type BerthRegistry,
  besideTheTest,
  type HostileRegistry,
  openHostileRegistry,
  type RegistryAuth,
  startBerthRegistry,
  until,
} from '@berth/testing'
import { manifestType, refusal, RegistryClient } from './registry-client.ts'

interface CacheOptions {
  readonly auth?: RegistryAuth
  readonly args?: readonly string[]
}

/** A cache of an upstream that may misbehave; tags are asked for each time. */
async function setUp(t: TestContext, { auth, args = [] }: CacheOptions = {}) {
  const upstream = await openHostileRegistry(auth === undefined ? {} : { auth })
  t.after(() => upstream[Symbol.asyncDispose]())
  const cache = await startBerthRegistry(besideTheTest, {
    args: ['--proxy', upstream.origin, '--proxy-fresh', '0s', ...args],
  })
  t.after(() => cache[Symbol.asyncDispose]())
  const image = add(upstream, 'v1', 'first')
  return { upstream, cache, client: new RegistryClient(cache.host), image }
}

const content = 'x'.repeat(300_000)
const add = (upstream: HostileRegistry, tag: string, text: string) =>
  upstream.addImage('team/app', { layers: [[{ path: 'a', content: text + content }]], tag, compression: 'none' })

const tagPath = '/v2/team/app/manifests/v1'
const blobPath = (digest: string) => `/v2/team/app/blobs/${digest}`
const blobsKept = ({ folder }: BerthRegistry) => readdirSync(join(folder, 'data/content/blobs/sha256')).length
const gets = (upstream: HostileRegistry, what: string) =>
  upstream.requests.filter(({ method, url }) => method === 'GET' && url.includes(what)).length

test('an image comes through the cache, its blobs from upstream once', async (t) => {
  const { upstream, client, image, cache } = await setUp(t)
  const manifest = await client.get(tagPath)
  assert.deepEqual([manifest.status, manifest.headers['docker-content-digest']], [200, image.manifest.digest])
  const layer = image.layers[0]!
  const answers = await Promise.all(Array.from({ length: 10 }, () => client.get(blobPath(layer.digest))))
  for (const { status, text } of answers) assert.deepEqual([status, text.length], [200, layer.size])
  await until(() => blobsKept(cache) === 2)
  const part = await client.get(blobPath(layer.digest), { Range: 'bytes=0-9' })
  assert.deepEqual([part.status, part.text.length], [206, 10])
  assert.equal(gets(upstream, layer.digest), 1)
})

test('a tag that moved upstream is noticed, and one that went', async (t) => {
  const { upstream, client } = await setUp(t)
  await client.get(tagPath)
  const moved = add(upstream, 'v1', 'second')
  assert.equal((await client.head(tagPath)).headers['docker-content-digest'], moved.manifest.digest)
  upstream.content.repository('team/app').tags.delete('v1')
  assert.deepEqual(refusal(await client.get(tagPath)), [404, 'MANIFEST_UNKNOWN'])
})

test('with the upstream down, or in trouble, what is there is served', async (t) => {
  const { upstream, client, image, cache } = await setUp(t)
  await client.get(tagPath)
  const layer = image.layers[0]!
  await client.get(blobPath(layer.digest))
  await until(() => blobsKept(cache) === 2)
  for (const how of [
    { kind: 'answer', status: 503 },
    { kind: 'answer', status: 429, headers: { 'Retry-After': '1' } },
    { kind: 'hangUp' },
  ] as const) {
    using _ = upstream.misbehave({ how })
    assert.equal(
      (await client.get(tagPath)).headers['docker-content-digest'],
      image.manifest.digest,
      JSON.stringify(how),
    )
  }
  await upstream[Symbol.asyncDispose]()
  assert.equal((await client.get(tagPath)).status, 200)
  assert.equal((await client.get(blobPath(layer.digest))).text.length, layer.size)
  assert.equal((await client.get('/v2/team/app/manifests/v2')).status, 502)
  assert.deepEqual(JSON.parse((await client.get('/v2/team/app/tags/list')).text), { name: 'team/app', tags: ['v1'] })
})

test('what the upstream sends wrong is never shown as whole, and never kept', async (t) => {
  const { upstream, client, image, cache } = await setUp(t)
  await client.get(tagPath)
  const path = blobPath(image.layers[0]!.digest)
  for (const kind of ['corrupt', 'endless'] as const) {
    using _ = upstream.misbehave({ on: 'blob', how: { kind } })
    await assert.rejects(client.get(path), kind)
  }
  assert.equal(blobsKept(cache), 1)
  // The client hears of the broken body first.
  await until(() => readdirSync(join(cache.folder, 'data/downloads')).length === 0)
  assert.equal((await client.get(path)).text.length, image.layers[0]!.size)
})

test('a blob that breaks off goes on where it was', async (t) => {
  const { upstream, client, image } = await setUp(t)
  await client.get(tagPath)
  const layer = image.layers[0]!
  using _ = upstream.misbehave({ on: 'blob', how: { kind: 'cut', afterBytes: 100_000 }, times: 1 })
  assert.equal((await client.get(blobPath(layer.digest))).text.length, layer.size)
  const ranges = upstream.requests.filter(({ url }) => url.includes(layer.digest)).map(({ range }) => range)
  assert.deepEqual([ranges.length, ranges[0]], [2, undefined])
  assert.match(ranges[1] ?? '', /^bytes=[1-9]\d*-$/)
})

test('a manifest that is not what it is called is not taken', async (t) => {
  const { upstream, client, image } = await setUp(t)
  using _ = upstream.misbehave({ on: 'manifest', method: 'GET', how: { kind: 'body', body: '{"schemaVersion":2}' } })
  assert.ok((await client.get(tagPath)).status >= 400)
  assert.ok((await client.get(`/v2/team/app/manifests/${image.manifest.digest}`)).status >= 400)
})

test('blobs that no manifest names, and pushes, are refused', async (t) => {
  const { upstream, client } = await setUp(t)
  const { digest } = upstream.content.addBlob('team/app', Buffer.from('not of an image'))
  assert.deepEqual(refusal(await client.get(blobPath(digest))), [404, 'BLOB_UNKNOWN'])
  assert.deepEqual(refusal(await client.send('POST', '/v2/team/app/blobs/uploads/', '')), [405, 'UNSUPPORTED'])
  assert.equal(gets(upstream, digest), 0)
})

test('the cache’s own password for the upstream stays with it', async (t) => {
  const { writeFileSync, mkdtempSync, rmSync } = process.getBuiltinModule('node:fs')
  const folder = mkdtempSync('/tmp/berth-cache-')
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'password'), 'upstream-secret\n')
  const args = ['--proxy-user', 'cache', '--proxy-password-file', join(folder, 'password')]
  const auth = { kind: 'token', username: 'cache', password: 'upstream-secret' } as const
  const { client, cache, image } = await setUp(t, { auth, args })
  const { status, headers } = await client.get(tagPath)
  assert.deepEqual([status, headers['docker-content-digest']], [200, image.manifest.digest])
  assert.equal((await client.get(blobPath(image.config.digest))).status, 200)
  assert.doesNotMatch(cache.log(), /upstream-secret/)
})

test('tags and referrers are the upstream’s', async (t) => {
  const { upstream, client, image } = await setUp(t)
  add(upstream, 'v2', 'more')
  assert.deepEqual(JSON.parse((await client.get('/v2/team/app/tags/list')).text), {
    name: 'team/app',
    tags: ['v1', 'v2'],
  })
  const config = upstream.content.addBlob('team/app', Buffer.from('{}'), 'application/vnd.example.sbom')
  const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [config], subject: image.manifest }
  const { digest } = upstream.content.addManifest('team/app', document)
  const { text } = await client.get(`/v2/team/app/referrers/${image.manifest.digest}`)
  assert.deepEqual(
    (JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map((one) => one.digest),
    [digest],
  )
})

test('what nobody asks for is forgotten', async (t) => {
  const args = ['--gc-interval', '200ms', '--gc-grace', '1s', '--proxy-keep', '1s']
  const { client, cache, image } = await setUp(t, { args })
  await client.get(tagPath)
  await client.get(blobPath(image.layers[0]!.digest))
  await until(() => blobsKept(cache) === 0)
  assert.equal((await client.get(tagPath)).status, 200)
})

test('a cache that was killed while a blob came starts clean', async (t) => {
  const { upstream, client, cache, image } = await setUp(t)
  await client.get(tagPath)
  const layer = image.layers[0]!
  const slow = upstream.misbehave({ on: 'blob', how: { kind: 'stall', afterBytes: 100_000 } })
  const asked = client.get(blobPath(layer.digest)).catch(() => 'torn')
  await until(() => upstream.requests.some(({ url }) => url.includes(layer.digest)))
  await cache.stop('SIGKILL')
  assert.equal(await asked, 'torn')
  slow[Symbol.dispose]()
  await cache.start()
  assert.deepEqual(readdirSync(join(cache.folder, 'data/downloads')), [])
  assert.equal((await client.get(blobPath(layer.digest))).text.length, layer.size)
})
