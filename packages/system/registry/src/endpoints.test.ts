import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isInsecureHost, planEndpoints } from './endpoints.ts'

const bases = (...args: Parameters<typeof planEndpoints>): string[] => planEndpoints(...args).map(({ base }) => base)

test('planEndpoints() asks mirrors first for what is read, and plain HTTP only where that is insecure', () => {
  const mirrors = [
    { domain: 'docker.io', url: 'https://hub.mirror/' },
    { domain: 'a:5000', url: 'http://a.mirror/x' },
  ]
  assert.deepEqual(bases('docker.io', { mirrors, isInsecure: false }), [
    'https://hub.mirror',
    'https://registry-1.docker.io',
  ])
  assert.deepEqual(bases('a:5000', { mirrors, isInsecure: true }), [
    'http://a.mirror/x',
    'https://a:5000',
    'http://a:5000',
  ])
  assert.deepEqual(bases('a:5000', { mirrors, isInsecure: false, writes: true }), ['https://a:5000'])
})

test('planEndpoints() verifies certificates but those of insecure registries', () => {
  const verified = (isInsecure: boolean) => planEndpoints('b', { mirrors: [], isInsecure }).map((e) => e.verifiesTls)
  assert.deepEqual([verified(false), verified(true)], [[true], [false, false]])
})

test('isInsecureHost() knows loopback, hosts and networks', () => {
  const is = (domain: string, addresses: string[] = [], insecure: string[] = []) =>
    isInsecureHost(domain, addresses, insecure)
  assert.deepEqual(
    [is('127.0.0.1:5000'), is('127.9.9.9'), is('[::1]:5000'), is('localhost:5000'), is('here:5000', ['127.0.0.1'])],
    [true, true, true, true, true],
  )
  assert.deepEqual([is('10.0.0.1'), is('127.evil.example'), is('a:5000', ['10.0.0.1'])], [false, false, false])
  const insecure = ['a:5000', 'b', '10.0.0.0/8', 'fd00::/8', 'nonsense/99']
  assert.deepEqual(
    [is('a:5000', [], insecure), is('a:5001', [], insecure), is('b:1', [], insecure), is('10.1.2.3:9', [], insecure)],
    [true, false, true, true],
  )
  assert.deepEqual([is('c', ['10.1.1.1'], insecure), is('[fd00::5]:1', [], insecure)], [true, true])
})
