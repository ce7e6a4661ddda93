import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testDefaults } from './fixtures.ts'
import { parseSecurityOptions } from './security-options.ts'

const initial = { noNewPrivileges: false, hasWritableCgroups: false, appArmorProfile: '', seccomp: 'default' }

test('parseSecurityOptions() reads every kind, with = and with the old colon', () => {
  const cases: [string, object][] = [
    ['no-new-privileges', { noNewPrivileges: true }],
    ['no-new-privileges:true', { noNewPrivileges: true }],
    ['no-new-privileges=0', { noNewPrivileges: false }],
    ['writable-cgroups', { hasWritableCgroups: true }],
    ['writable-cgroups=true', { hasWritableCgroups: true }],
    ['seccomp=unconfined', { seccomp: 'unconfined' }],
    ['seccomp:unconfined', { seccomp: 'unconfined' }],
    ['seccomp=builtin', { seccomp: 'default' }],
    ['seccomp={"a":"b=c:d"}', { seccomp: { profile: '{"a":"b=c:d"}' } }],
    ['apparmor=x', { appArmorProfile: 'x' }],
    ['label=disable', {}],
    ['disable', {}],
  ]
  for (const [option, changes] of cases) {
    assert.deepEqual(parseSecurityOptions([option], testDefaults), { ...initial, ...changes }, option)
  }
})

test("parseSecurityOptions() begins with the daemon's defaults", () => {
  const defaults = { noNewPrivileges: true, seccompProfile: 'unconfined' }
  assert.deepEqual(parseSecurityOptions([], defaults), { ...initial, noNewPrivileges: true, seccomp: 'unconfined' })
  assert.equal(parseSecurityOptions(['seccomp=builtin'], defaults).seccomp, 'default')
})
