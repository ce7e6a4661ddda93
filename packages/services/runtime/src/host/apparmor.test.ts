import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoaded, profileText } from './apparmor.ts'

test('isLoaded() finds the profile in the kernel list, in any mode', () => {
  assert.equal(isLoaded('/usr/bin/man (enforce)\ndocker-default (enforce)\n'), true)
  assert.equal(isLoaded('docker-default-2 (enforce)\n'), false)
})

test('profileText() denies mounts and writes to the kernel', () => {
  const text = profileText([])
  assert.match(text, /deny mount,/)
  assert.match(text, /deny @\{PROC\}\/sysrq-trigger rwklx,/)
  assert.equal(text.split('{').length, text.split('}').length)
})

test('profileText() includes what the distribution has, and does without', () => {
  assert.match(profileText(['/etc/apparmor.d/tunables/global']), /^include "\/etc\/apparmor.d\/tunables\/global"$/m)
  assert.match(profileText([]), /^@\{PROC\}=\/proc\/$/m)
})
