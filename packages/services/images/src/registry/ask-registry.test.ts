import assert from 'node:assert/strict'
import { test } from 'node:test'
import { domainOfAddress } from './ask-registry.ts'

test('domainOfAddress() knows addresses with a scheme and a path, and answers soon whatever they are', () => {
  const addresses = ['', 'https://index.docker.io/v1/', 'http://127.0.0.1:5000/v2/x/y', 'registry.example']
  assert.deepEqual(addresses.map(domainOfAddress), ['docker.io', 'docker.io', '127.0.0.1:5000', 'registry.example'])
  const startedMs = performance.now()
  assert.equal(domainOfAddress(`a.example${'/'.repeat(100_000)}\n`), 'a.example')
  assert.ok(performance.now() - startedMs < 1000)
})
