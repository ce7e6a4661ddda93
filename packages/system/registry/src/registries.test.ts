import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { EngineError } from '@berth/base'
import { type Digest, sha256 } from '@berth/oci'
import {
  type HostileRegistry,
  type HostileRegistryOptions,
  htmlPage,
  type Misbehaviour,
  openHostileRegistry,
  tooManyRequests,
} from '@berth/testing'
import { createRegistries } from './registries.ts'
import { defaultSettings, type RegistrySettings } from './settings.ts'

const timeouts = { readAnswerMs: 2000, answerMs: 2000, stallMs: 500, documentMs: 2000, retryMs: 5, longestRetryMs: 100 }
const me = { username: 'me', password: 'secret' }

async function setUp(t: TestContext, settings: Partial<RegistrySettings> = {}) {
  const registries = createRegistries({ ...defaultSettings, timeouts, attempts: 3, ...settings })
  t.after(() => registries[Symbol.dispose]())
  const open = async (options: HostileRegistryOptions = {}): Promise<HostileRegistry> => {
    const registry = await openHostileRegistry(options)
    t.after(() => registry[Symbol.asyncDispose]())
    return registry
  }
  return { registries, open }
}

const image = { layers: [[{ path: 'a', content: 'hello' }]], tag: '1' }
const authorizations = ({ requests }: HostileRegistry): (string | undefined)[] => [
  ...new Set(requests.map(({ authorization }) => authorization?.replace(/^(\w+) .*/, '$1'))),
]

test('Repository answers a challenge for a password, and sends none before', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open({ auth: { kind: 'basic', ...me } })
  const { manifest } = registry.addImage('a/b', image)
  const name = { domain: registry.host, path: 'a/b' }
  assert.equal((await registries.repository(name, me).resolve('1')).digest, manifest.digest)
  assert.deepEqual(authorizations(registry), [undefined, 'Basic'])
  await assert.rejects(registries.repository(name).resolve('1'), {
    kind: 'internal',
    message: `Head "${registry.origin}/v2/a/b/manifests/1": no basic auth credentials`,
  })
  await assert.rejects(registries.repository(name, { ...me, password: 'wrong' }).resolve('1'), {
    kind: 'unauthorized',
    message: 'unauthorized: authentication required',
  })
})

test('Repository gets a token once for all requests of one scope, and another for another', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open({ auth: { kind: 'token', ...me } })
  const { layers } = registry.addImage('a/b', image)
  const repository = registries.repository({ domain: registry.host, path: 'a/b' }, me)
  await repository.manifest('1')
  await repository.readBlob(layers[0]!.digest as never, 1 << 20)
  const tokens = () => registry.requests.filter(({ url }) => url.startsWith('/token'))
  assert.equal(tokens().length, 1)
  assert.match(tokens()[0]!.url, /service=hostile&scope=repository%3Aa%2Fb%3Apull&account=me$/)
  await repository.uploadBlob({
    kind: 'blob',
    digest: 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824' as never,
    sizeBytes: 5,
    open: async function* (start) {
      yield Buffer.from('hello').subarray(start)
    },
  })
  assert.equal(tokens().length, 2)
  const basics = registry.requests.filter(({ authorization }) => authorization?.startsWith('Basic'))
  assert.deepEqual(
    basics.map(({ url }) => url.startsWith('/token')),
    [true, true],
  )
})

test('Repository tells wrong credentials, denied access and too many requests apart', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open({ auth: { kind: 'token', ...me } })
  registry.addImage('a/b', image)
  const name = { domain: registry.host, path: 'a/b' }
  await assert.rejects(registries.repository(name, { ...me, password: 'no' }).resolve('1'), { kind: 'unauthorized' })
  const notOurs = { kind: 'forbidden', message: 'denied: requested access to the resource is denied' }
  await assert.rejects(registries.repository(name).resolve('1'), notOurs)
  const denied = { errors: [{ code: 'DENIED', message: 'requested access to the resource is denied' }] }
  const how = {
    kind: 'answer',
    status: 403,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(denied),
  } as const
  {
    using _ = registry.misbehave({ on: 'manifest', how })
    await assert.rejects(registries.repository(name, me).resolve('1'), notOurs)
  }
  registry.misbehave({ on: 'manifest', how: tooManyRequests('3600') })
  const before = registry.requests.length
  await assert.rejects(registries.repository(name, me).manifest('1'), {
    kind: 'tooManyRequests',
    message: /^toomanyrequests: /,
  })
  assert.equal(
    registry.requests.slice(before).filter(({ url }) => url.includes('/manifests/')).length,
    1,
    'not asked again within the hour',
  )
})

test('Repository asks a registry that says nothing once, and one that has answered before again', async (t) => {
  const { registries, open } = await setUp(t, { timeouts: { ...timeouts, readAnswerMs: 100 } })
  const registry = await open()
  const { layers } = registry.addImage('a/b', image)
  const repository = registries.repository({ domain: registry.host, path: 'a/b' })
  const hold = Promise.withResolvers<void>()
  const how = { kind: 'wait', until: hold.promise } as const
  {
    using _ = registry.misbehave({ on: 'manifest', how })
    await assert.rejects(repository.manifest('1'), {
      kind: 'unavailable',
      message: `Get "${registry.origin}/v2/": timeout awaiting response headers`,
    })
  }
  assert.equal(registry.requests.length, 1)
  await repository.manifest('1')
  const { digest, size } = layers[0]!
  registry.misbehave({ on: 'blob', path: digest, how, times: 1 })
  assert.equal((await repository.readBlob(digest as Digest, size)).length, size)
  hold.resolve()
})

test('Repository asks a registry again that falls silent after a challenge or a failure', async (t) => {
  const { registries, open } = await setUp(t, { timeouts: { ...timeouts, readAnswerMs: 100 } })
  const hold = Promise.withResolvers<void>()
  const silent = { kind: 'wait', until: hold.promise } as const
  const [challenges, fails] = [await open({ auth: { kind: 'token', ...me } }), await open()]
  fails.misbehave({ on: 'manifest', how: { kind: 'answer', status: 503, body: '' }, times: 1 })
  for (const registry of [challenges, fails]) {
    registry.addImage('a/b', image)
    registry.misbehave({ on: 'manifest', how: silent, after: 1, times: 1 })
    await registries.repository({ domain: registry.host, path: 'a/b' }, me).manifest('1')
    assert.equal(registry.requests.filter(({ url }) => url.includes('/manifests/')).length, 3)
  }
  hold.resolve()
})

test('Repository waits as long as the registry asks, when that is not long', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open()
  registry.addImage('a/b', image)
  registry.misbehave({ on: 'manifest', how: tooManyRequests('0'), times: 2 })
  await registries.repository({ domain: registry.host, path: 'a/b' }).manifest('1')
})

test('Repository tells how long it waits before an upload is tried again', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open()
  registry.misbehave({ on: 'upload', method: 'PUT', how: { kind: 'answer', status: 503, body: '' }, times: 1 })
  const told: number[] = []
  const bytes = Buffer.from('some bytes')
  await registries.repository({ domain: registry.host, path: 'a/b' }).uploadBlob({
    kind: 'blob',
    digest: sha256(bytes),
    sizeBytes: bytes.length,
    open: async function* (start) {
      yield bytes.subarray(start)
    },
    onRetry: (secondsLeft) => void told.push(secondsLeft),
  })
  assert.deepEqual(told, [1])
})

test('credentials go to nobody but the registry: not where it redirects', async (t) => {
  const { registries, open } = await setUp(t)
  const [registry, elsewhere] = [await open({ auth: { kind: 'basic', ...me } }), await open({ address: '127.0.0.2' })]
  const { layers } = registry.addImage('a/b', image)
  elsewhere.addImage('a/b', image)
  registry.misbehave({ on: 'blob', how: { kind: 'redirect', to: elsewhere.origin } })
  const repository = registries.repository({ domain: registry.host, path: 'a/b' }, me)
  assert.equal((await repository.readBlob(layers[0]!.digest as never, 1 << 20)).length, layers[0]!.size)
  assert.equal(elsewhere.requests.length, 1)
  assert.deepEqual(authorizations(elsewhere), [undefined])
})

test('credentials go to nobody but the registry: not to a host elsewhere that asks for them', async (t) => {
  const { registries, open } = await setUp(t)
  const thief = await open({ address: '127.0.0.3', auth: { kind: 'basic', ...me } })
  for (const auth of [
    { kind: 'basic', ...me },
    { kind: 'token', ...me },
  ] as const) {
    const registry = await open({ auth: { kind: 'basic', ...me } })
    const elsewhere = await open({
      address: '127.0.0.2',
      auth: { ...auth, ...(auth.kind === 'token' && { realm: `${thief.origin}/token` }) },
    })
    const { layers } = registry.addImage('a/b', image)
    registry.misbehave({ on: 'blob', how: { kind: 'redirect', to: elsewhere.origin } })
    const repository = registries.repository({ domain: registry.host, path: 'a/b' }, me)
    await assert.rejects(repository.readBlob(layers[0]!.digest as never, 1 << 20), {
      kind: 'forbidden',
      message: `${elsewhere.host}, where ${registry.host} sends us, wants credentials: it gets none`,
    })
    assert.deepEqual(authorizations(elsewhere), [undefined])
  }
  assert.deepEqual(thief.requests, [])
})

test('credentials go to nobody but the registry: not to its mirror', async (t) => {
  const mirror = await openHostileRegistry({ address: '127.0.0.2', auth: { kind: 'token', ...me } })
  t.after(() => mirror[Symbol.asyncDispose]())
  const registry = await openHostileRegistry({ auth: { kind: 'basic', ...me } })
  t.after(() => registry[Symbol.asyncDispose]())
  const { registries } = await setUp(t, { mirrors: [{ domain: registry.host, url: mirror.origin }] })
  const { manifest } = registry.addImage('a/b', image)
  const repository = registries.repository({ domain: registry.host, path: 'a/b' }, me)
  assert.equal((await repository.resolve('1')).digest, manifest.digest)
  assert.ok(mirror.requests.length > 0)
  assert.deepEqual(authorizations(mirror), [undefined])
})

test('credentials go to nobody but the registry: not where it wants an upload to go', async (t) => {
  const { registries, open } = await setUp(t)
  const [registry, elsewhere] = [await open({ auth: { kind: 'basic', ...me } }), await open({ address: '127.0.0.2' })]
  const headers = { location: `${elsewhere.origin}/v2/a/b/blobs/uploads/1` }
  registry.misbehave({ on: 'upload', method: 'POST', how: { kind: 'headers', headers } })
  const bytes = async function* () {
    yield Buffer.from('bytes')
  }
  const upload = registries
    .repository({ domain: registry.host, path: 'a/b' }, me)
    .uploadBlob({ kind: 'stream', open: bytes })
  await assert.rejects(upload)
  assert.deepEqual(authorizations(elsewhere), [undefined])
})

test('a token server elsewhere is trusted by name over TLS only', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open({ auth: { kind: 'token', ...me, realm: 'http://tokens.example/token' } })
  registry.addImage('a/b', image)
  await assert.rejects(registries.repository({ domain: registry.host, path: 'a/b' }, me).resolve('1'), {
    kind: 'forbidden',
    message: `${registry.host} wants credentials to go to http://tokens.example, without TLS: refused`,
  })
})

test('a token server’s redirect is not followed', async (t) => {
  const { registries, open } = await setUp(t)
  const [registry, thief] = [await open({ auth: { kind: 'token', ...me } }), await open({ address: '127.0.0.2' })]
  registry.addImage('a/b', image)
  registry.misbehave({ on: 'token', how: { kind: 'redirect', to: `${thief.origin}/token` } })
  await assert.rejects(
    registries.repository({ domain: registry.host, path: 'a/b' }, me).resolve('1'),
    /sends us elsewhere \(status 307\): not followed$/,
  )
  assert.deepEqual(thief.requests, [])
})

const wrongTokens: readonly [what: string, how: Misbehaviour, message: RegExp][] = [
  ['a web page', htmlPage(200), /it is no JSON object$/],
  ['bytes without end', { kind: 'endless' }, /^the token from \S+ is larger than 1048576 bytes$/],
  ['no token', { kind: 'body', body: '{}' }, /did not include a token in the response$/],
  ['a header of its own', { kind: 'body', body: JSON.stringify({ token: 'a\r\nX: y' }) }, /did not include a token/],
  ['its busyness', tooManyRequests('600'), /^toomanyrequests: /],
]

for (const [what, how, message] of wrongTokens) {
  test(`a token server that sends ${what} is refused in words, and nobody is asked for a password`, async (t) => {
    const { registries, open } = await setUp(t)
    const registry = await open({ auth: { kind: 'token', ...me } })
    registry.addImage('a/b', image)
    registry.misbehave({ on: 'token', how })
    const asked = registries.repository({ domain: registry.host, path: 'a/b' }, me).resolve('1')
    await assert.rejects(asked, (error: EngineError) => {
      assert.match(error.message, message)
      return error.kind !== 'unauthorized'
    })
  })
}

test('a refresh token stands in for a password, and goes by POST', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open({ auth: { kind: 'token', ...me } })
  registry.addImage('a/b', image)
  const { identityToken } = await registries.login(registry.host, me)
  assert.notEqual(identityToken, '')
  await registries.repository({ domain: registry.host, path: 'a/b' }, { identitytoken: identityToken }).resolve('1')
  assert.equal(registry.requests.findLast(({ url }) => url.startsWith('/token'))?.method, 'POST')
})

test('a mirror that fails in any way is passed over', async (t) => {
  const mirror = await openHostileRegistry()
  t.after(() => mirror[Symbol.asyncDispose]())
  const registry = await openHostileRegistry({ address: '127.0.0.2' })
  t.after(() => registry[Symbol.asyncDispose]())
  const dead = { domain: registry.host, url: 'http://127.0.0.1:1' }
  const { registries } = await setUp(t, { mirrors: [dead, { domain: registry.host, url: `${mirror.origin}/` }] })
  const { manifest, layers } = registry.addImage('a/b', image)
  mirror.addImage('a/b', image)
  const repository = registries.repository({ domain: registry.host, path: 'a/b' })
  assert.equal((await repository.manifest('1')).descriptor.digest, manifest.digest)
  assert.deepEqual(registry.requests, [])
  mirror.misbehave({ on: 'blob', how: { kind: 'answer', status: 503, body: '' } })
  assert.equal((await repository.readBlob(layers[0]!.digest as never, 1 << 20)).length, layers[0]!.size)
  assert.equal(registry.requests.length, 1)
  assert.equal(await repository.hasBlob(layers[0]!.digest as never), true)
})

test('tags() follows pages, and referrers() falls back to the tag', async (t) => {
  const { registries, open } = await setUp(t)
  const registry = await open()
  const { manifest } = registry.addImage('a/b', image)
  for (const tag of ['2', '3']) registry.addImage('a/b', { ...image, tag })
  const repository = registries.repository({ domain: registry.host, path: 'a/b' })
  assert.deepEqual((await repository.tags()).toSorted(), ['1', '2', '3'])
  assert.deepEqual(await repository.referrers(manifest.digest as never), [])
  await assert.rejects(registries.repository({ domain: registry.host, path: 'no' }).tags(), { kind: 'notFound' })
})

test('tags() takes nothing that is no list, and follows no page to another host', async (t) => {
  const { registries, open } = await setUp(t)
  const [registry, elsewhere] = [await open(), await open({ address: '127.0.0.2' })]
  registry.addImage('a/b', image)
  const repository = registries.repository({ domain: registry.host, path: 'a/b' })
  for (const body of ['<html>', '[]x', '{"tags":"1"}']) {
    using _ = registry.misbehave({ on: 'tags', how: { kind: 'body', body } })
    await assert.rejects(repository.tags(), /no JSON list$/)
  }
  const headers = { link: `<${elsewhere.origin}/v2/a/b/tags/list?last=1>; rel="next"` }
  registry.misbehave({ on: 'tags', how: { kind: 'headers', headers } })
  assert.deepEqual(await repository.tags(), ['1'])
  assert.deepEqual(elsewhere.requests, [])
})
