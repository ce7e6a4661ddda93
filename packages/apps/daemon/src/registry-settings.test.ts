import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Config } from './config/config.ts'
import { parseMirror, registrySettings, transferLimits } from './registry-settings.ts'

test('parseMirror() takes mirrors of Docker Hub and of any host, and refuses the rest in Docker’s words', () => {
  assert.deepEqual(parseMirror('https://mirror/'), { domain: 'docker.io', url: 'https://mirror' })
  assert.deepEqual(parseMirror('quay.io:443=http://m:5000/x'), { domain: 'quay.io:443', url: 'http://m:5000/x' })
  for (const [text, message] of [
    ['mirror', /^invalid mirror: "mirror": want a URL of http or https$/],
    ['https://m/?a', /query or fragment at end of the URI/],
    ['https://a:b@m/', /^invalid mirror: username\/password not allowed in URI$/],
  ] as const) {
    assert.throws(() => parseMirror(text), { kind: 'invalid', message })
  }
})

test('registrySettings() reads proxies of daemon.json before those of the environment', () => {
  const { proxies, insecure } = registrySettings(
    new Config({
      proxies: { 'http-proxy': 'http://p:1', 'no-proxy': 'a' },
      'no-proxy': 'b',
      'insecure-registries': ['http://c:5000', '10.0.0.0/8'],
    }),
  )
  assert.deepEqual([proxies.http, proxies.no, insecure], ['http://p:1', 'b', ['c:5000', '10.0.0.0/8']])
})

test('transferLimits() are Docker’s, and at least one', () => {
  assert.deepEqual(transferLimits(new Config({})), { downloads: 3, uploads: 5 })
  assert.throws(() => transferLimits(new Config({ 'max-concurrent-uploads': 0 })), {
    kind: 'invalid',
    message: 'invalid --max-concurrent-uploads: 0: at least 1',
  })
})
