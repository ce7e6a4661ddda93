import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type HostileRegistryOptions, openHostileRegistry } from './hostile-registry.ts'
import { htmlPage, type Misbehaviour, tooManyRequests } from './misbehaviour.ts'

async function setUp(t: TestContext, options: HostileRegistryOptions = {}) {
  const registry = await openHostileRegistry(options)
  t.after(() => registry[Symbol.asyncDispose]())
  const image = registry.addImage('team/app', { layers: [[{ path: 'a', content: 'hello' }]], tag: 'v1' })
  const blobUrl = `${registry.origin}/v2/team/app/blobs/${image.layers[0]!.digest}`
  return { registry, image, blobUrl, size: image.layers[0]!.size }
}

const bytesOf = async (response: Response): Promise<number> => (await response.arrayBuffer()).byteLength

test('openHostileRegistry() serves what was added, and ranges of it, and records who asked', async (t) => {
  const { registry, image, blobUrl, size } = await setUp(t)
  const manifest = await fetch(`${registry.origin}/v2/team/app/manifests/v1`, {
    headers: { Authorization: 'Basic eDp5' },
  })
  assert.equal(manifest.headers.get('docker-content-digest'), image.manifest.digest)
  assert.equal(await bytesOf(manifest), image.manifest.size)
  assert.equal(await bytesOf(await fetch(blobUrl)), size)
  const part = await fetch(blobUrl, { headers: { Range: 'bytes=5-9' } })
  assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 5-9/${size}`])
  assert.deepEqual(
    registry.requests.map(({ method, authorization, range }) => [method, authorization, range]),
    [
      ['GET', 'Basic eDp5', undefined],
      ['GET', undefined, undefined],
      ['GET', undefined, 'bytes=5-9'],
    ],
  )
  assert.equal((await fetch(`${registry.origin}/v2/other/app/manifests/v1`)).status, 404)
})

test('openHostileRegistry() takes an upload in chunks and refuses a wrong digest', async (t) => {
  const { registry } = await setUp(t)
  const begin = async () => {
    const answer = await fetch(`${registry.origin}/v2/new/app/blobs/uploads/`, { method: 'POST' })
    return registry.origin + answer.headers.get('location')
  }
  const hello = 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824'
  const first = await begin()
  await fetch(first, { method: 'PATCH', body: 'hel' })
  assert.equal((await fetch(`${first}?digest=${hello}`, { method: 'PUT', body: 'lo' })).status, 201)
  assert.equal((await fetch(`${await begin()}?digest=${hello}`, { method: 'PUT', body: 'no' })).status, 400)
  assert.equal(registry.content.find('new/app')?.blobs.size, 1)
})

test('misbehave() changes what arrives, as often as asked', async (t) => {
  const { registry, blobUrl, size } = await setUp(t)
  const outcome = async (how: Misbehaviour) => {
    using _ = registry.misbehave({ on: 'blob', how, times: 1 })
    const response = await fetch(blobUrl, { redirect: 'manual' })
    return [response.status, await bytesOf(response).catch(() => 'torn')]
  }
  assert.deepEqual(await outcome({ kind: 'corrupt' }), [200, size])
  assert.deepEqual(await outcome({ kind: 'cut', afterBytes: 7 }), [200, 'torn'])
  assert.deepEqual(await outcome({ kind: 'shorten', toBytes: 7 }), [200, 7])
  assert.deepEqual(await outcome({ kind: 'lengthen', byBytes: 7 }), [200, size + 7])
  assert.deepEqual(await outcome({ kind: 'declare', lengthBytes: size + 1 }), [200, 'torn'])
  assert.deepEqual(await outcome({ kind: 'redirect', to: 'http://elsewhere.example' }), [307, 0])
  assert.equal((await outcome(htmlPage(502)))[0], 502)
  assert.equal((await outcome(tooManyRequests('3')))[0], 429)
  await assert.rejects(outcome({ kind: 'hangUp' }))
  assert.equal(await bytesOf(await fetch(blobUrl)), size)
})

test('misbehave() sends without end until the client goes', async (t) => {
  const { registry, blobUrl, size } = await setUp(t)
  registry.misbehave({ how: { kind: 'endless' } })
  const response = await fetch(blobUrl)
  let received = 0
  for await (const chunk of response.body!) {
    received += chunk.length
    if (received > size + 1_000_000) break
  }
  assert.ok(received > size + 1_000_000)
})

test('misbehave() sends a part and then nothing', async (t) => {
  const { registry, blobUrl } = await setUp(t)
  registry.misbehave({ on: 'blob', how: { kind: 'stall', afterBytes: 3 } })
  const reader = (await fetch(blobUrl)).body!.getReader()
  assert.equal((await reader.read()).value?.length, 3)
  const next = await Promise.race([reader.read(), new Promise((resolve) => setImmediate(resolve, 'silence'))])
  assert.equal(next, 'silence')
  await reader.cancel()
})

test('openHostileRegistry() asks for tokens with the scope of the request', async (t) => {
  const auth = { kind: 'token', username: 'u', password: 'p', anonymousPull: true } as const
  const { registry, image } = await setUp(t, { auth })
  const path = `${registry.origin}/v2/team/app/manifests/v1`
  const refused = await fetch(path)
  assert.equal(
    refused.headers.get('www-authenticate'),
    `Bearer realm="${registry.origin}/token",service="hostile",scope="repository:team/app:pull"`,
  )
  const token = async (query: string, headers = {}) =>
    (await (await fetch(`${registry.origin}/token?${query}`, { headers })).json()) as Record<string, string>
  const bearer = (text: string | undefined) => ({ Authorization: `Bearer ${text}` })
  const pull = await token('scope=repository:team/app:pull,push')
  assert.equal((await fetch(path, { headers: bearer(pull['token']) })).status, 200)
  const put = { method: 'PUT', body: '{}', headers: bearer(pull['token']) }
  assert.match((await fetch(path, put)).headers.get('www-authenticate') ?? '', /insufficient_scope/)
  const known = { Authorization: `Basic ${btoa('u:p')}` }
  const push = await token('scope=repository:team/app:pull,push', known)
  assert.equal((await fetch(path, { ...put, headers: bearer(push['token']) })).status, 201)
  const wrong = await fetch(`${registry.origin}/token`, { headers: { Authorization: `Basic ${btoa('u:no')}` } })
  assert.equal(wrong.status, 401)
  assert.ok(image.manifest.size > 0)
})
