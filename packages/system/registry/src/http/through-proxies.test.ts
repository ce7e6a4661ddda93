import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import {
  type ForwardProxyOptions,
  openHostileRegistry,
  serverCertificate,
  serverKey,
  startForwardProxy,
} from '@berth/testing'
import { createRegistries, type Registries } from '../registries.ts'
import { defaultSettings } from '../settings.ts'

const tls = { certificate: serverCertificate, key: serverKey }
const timeouts = { readAnswerMs: 400, answerMs: 400, stallMs: 400, documentMs: 2000, retryMs: 5, longestRetryMs: 20 }
// No resolver knows this name: only the proxy does.
const domain = 'registry.invalid:5000'

interface Wish {
  readonly proxy?: ForwardProxyOptions
  readonly isTls?: boolean
  /** Default: the registry may do without a valid certificate. */
  readonly insecure?: readonly string[]
  /** Of the proxy's URL: `scheme://HOST` with what else belongs there. */
  readonly way?: (host: string) => string
}

/** A registry that is reached by a proxy alone. */
async function setUp(
  t: TestContext,
  { proxy = {}, isTls = true, insecure = [domain], way = (host) => `http://${host}` }: Wish,
) {
  const registry = await openHostileRegistry(isTls ? { tls } : {})
  t.after(() => registry[Symbol.asyncDispose]())
  const { manifest, layers } = registry.addImage('a/b', { layers: [[{ path: 'a', content: 'hello' }]], tag: '1' })
  const forward = await startForwardProxy({ everything: registry.host, ...proxy })
  t.after(() => forward[Symbol.dispose]())
  const url = way(forward.host)
  const settings = { insecure, proxies: { http: url, https: url, no: '' }, timeouts, attempts: 1 }
  const registries = createRegistries({ ...defaultSettings, ...settings })
  t.after(() => registries[Symbol.dispose]())
  return { registry, registries, forward, manifest, layer: layers[0]! }
}

const open = (registries: Registries) => registries.repository({ domain, path: 'a/b' })

test('Transport reaches registries with TLS by tunnels of a proxy', async (t) => {
  const { registries, registry, forward, manifest, layer } = await setUp(t, {})
  const repository = open(registries)
  assert.equal((await repository.resolve('1')).digest, manifest.digest)
  assert.ok((await repository.readBlob(layer.digest as never, 1 << 20)).length > 0)
  assert.ok(forward.requests.every((line) => line === `CONNECT ${domain}`))
  assert.ok(registry.requests.length > 1)
})

test('Transport reaches registries without TLS by a proxy that forwards', async (t) => {
  const { registries, forward, manifest } = await setUp(t, { isTls: false })
  assert.equal((await open(registries).resolve('1')).digest, manifest.digest)
  assert.ok(forward.requests.includes(`HEAD http://${domain}/v2/a/b/manifests/1`))
})

test('Transport shows a proxy its credentials, and registries none of them', async (t) => {
  const credentials = 'ann:p@ss'
  const way = (host: string) => `http://ann:p%40ss@${host}`
  for (const isTls of [true, false]) {
    const { registries, registry, manifest } = await setUp(t, { proxy: { credentials }, isTls, way })
    assert.equal((await open(registries).resolve('1')).digest, manifest.digest)
    if (isTls) for (const { headers } of registry.requests) assert.equal(headers['proxy-authorization'], undefined)
  }
})

test('Transport names the proxy, and no password, when that refuses', async (t) => {
  const way = (host: string) => `http://ann:secret@${host}`
  for (const [proxy, expected] of [
    [{ credentials: 'ann:other' }, /: the proxy 127\.0\.0\.1:\d+ refuses: 407 Proxy Authentication Required$/],
    [{ refusal: 403 }, /: the proxy 127\.0\.0\.1:\d+ refuses: 403 Forbidden$/],
  ] as const) {
    const { registries } = await setUp(t, { proxy, way, insecure: [] })
    await assert.rejects(open(registries).resolve('1'), (error: Error) => {
      assert.match(error.message, expected)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  }
})

test('Transport waits no longer for a proxy than for a registry', async (t) => {
  const isRefused = async (isTls: boolean) => {
    const { registries } = await setUp(t, { proxy: { refusal: 'silence' }, isTls })
    await assert.rejects(open(registries).resolve('1'), /timeout|timed out/)
  }
  await Promise.all([isRefused(true), isRefused(false)])
})

test('Transport says that a proxy is not there', async (t) => {
  const { registries } = await setUp(t, { way: () => 'http://127.0.0.1:1', insecure: [] })
  await assert.rejects(
    open(registries).resolve('1'),
    /proxyconnect tcp: dial tcp 127\.0\.0\.1:1: connect: connection refused/,
  )
})

test('Registries.download() goes by the same proxies', async (t) => {
  const { registries, forward } = await setUp(t, { isTls: false })
  const { body } = await registries.download('http://files.invalid/v2/', new AbortController().signal)
  for await (const _ of body);
  assert.deepEqual(forward.requests, ['GET http://files.invalid/v2/'])
})
