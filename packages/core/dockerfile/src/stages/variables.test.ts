import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StageArgs } from './variables.ts'

const given = { http_proxy: 'http://p', NO_PROXY: 'x', Https_Proxy: 'http://s', FTP_PROXY: '', OTHER: 'y' }

test('StageArgs.proxies() are there under both names for BuildKit, where the image has none of its own', () => {
  const args = new StageArgs(given, new Map(), 'buildkit')
  assert.deepEqual(args.proxies({ Env: ['no_proxy=own'] }), [
    'HTTP_PROXY=http://p',
    'http_proxy=http://p',
    'NO_PROXY=x',
    'HTTPS_PROXY=http://s',
    'https_proxy=http://s',
  ])
})

test('StageArgs.proxies() are as they were given for the classic builder', () => {
  const args = new StageArgs(given, new Map(), 'classic')
  assert.deepEqual(args.proxies({}), ['http_proxy=http://p', 'NO_PROXY=x', 'FTP_PROXY='])
})
