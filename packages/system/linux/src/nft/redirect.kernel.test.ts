import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { LocalRedirect } from './redirect.ts'

test('LocalRedirect.apply() replaces what an earlier call made', () => {
  const redirect = new LocalRedirect({ table: 'redirect_test', address: '127.0.0.11', port: 53 })
  redirect.apply({ udp: 1001, tcp: 1002 })
  redirect.apply({ udp: 2001, tcp: 2002 })
  const rules = execFileSync('nft', ['list', 'table', 'ip', 'redirect_test'], { encoding: 'utf8' })
  assert.deepEqual(rules.match(/dnat to \S+/g), ['dnat to 127.0.0.11:2001', 'dnat to 127.0.0.11:2002'])
  execFileSync('nft', ['delete', 'table', 'ip', 'redirect_test'])
})
