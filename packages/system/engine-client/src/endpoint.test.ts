import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHost } from './endpoint.ts'

test('parseHost() takes the forms of -H', () => {
  assert.deepEqual(parseHost('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' })
  assert.deepEqual(parseHost('tcp://10.0.0.1:99/base/'), { kind: 'tcp', host: '10.0.0.1', port: 99, basePath: '/base' })
  assert.deepEqual(parseHost('example'), { kind: 'tcp', host: 'example', port: 2375, basePath: '' })
  assert.deepEqual(parseHost('tcp://[::1]', true), { kind: 'tcp', host: '::1', port: 2376, basePath: '' })
  assert.deepEqual(parseHost('unix://'), { kind: 'unix', path: '/run/berth/berth.sock' })
})

test('parseHost() refuses what it cannot reach', () => {
  assert.throws(() => parseHost('ftp://x'), /invalid bind address format: ftp:\/\/x/)
  assert.throws(() => parseHost('tcp://x:99999'), /invalid bind address format/)
  assert.throws(() => parseHost('npipe://x'), /npipe:\/\/ hosts are not supported yet/)
})
