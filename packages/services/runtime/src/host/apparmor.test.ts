import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoaded, profileText } from './apparmor.ts'

test('isLoaded() finds the profile in the kernel list, in any mode', () => {
  assert.equal(isLoaded('/usr/bin/man (enforce)\ndocker-default (enforce)\n'), true)
  assert.equal(isLoaded('docker-default-2 (enforce)\n'), false)
})

test('profileText denies mounts and writes to the kernel', () => {
  assert.match(profileText, /deny mount,/)
  assert.match(profileText, /deny @\{PROC\}\/sysrq-trigger rwklx,/)
  assert.equal(profileText.split('{').length, profileText.split('}').length)
})
