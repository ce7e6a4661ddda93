import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { redirectLocal } from './redirect.ts'

test('redirectLocal() replaces what an earlier call made', () => {
  const redirect = { table: 'redirect_test', address: '127.0.0.11', port: 53 }
  redirectLocal({ ...redirect, toUdpPort: 1001, toTcpPort: 1002 })
  redirectLocal({ ...redirect, toUdpPort: 2001, toTcpPort: 2002 })
  const rules = execFileSync('nft', ['list', 'table', 'ip', 'redirect_test'], { encoding: 'utf8' })
  assert.deepEqual(rules.match(/dnat to \S+/g), ['dnat to 127.0.0.11:2001', 'dnat to 127.0.0.11:2002'])
  execFileSync('nft', ['delete', 'table', 'ip', 'redirect_test'])
})
