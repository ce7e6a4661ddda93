import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownCgroup } from './anticipate-move.ts'
import type { Cgroups } from './detect.ts'

const hybrid: Cgroups = {
  version: 'hybrid',
  controllers: new Map([
    ['cpu', '/cg/cpu,cpuacct'],
    ['cpuacct', '/cg/cpu,cpuacct'],
    ['systemd', '/cg/systemd'],
  ]),
  unified: '/cg/unified',
  mountPoints: ['/cg/cpu,cpuacct', '/cg/systemd', '/cg/unified'],
}

test('ownCgroup() takes the first tree that is mounted', () => {
  assert.equal(ownCgroup(hybrid, '12:pids:/p\n3:cpu,cpuacct:/a/b:c\n0::/u\n'), '/cg/cpu,cpuacct/a/b:c')
  assert.equal(ownCgroup(hybrid, '1:name=systemd:/s\n0::/u\n'), '/cg/systemd/s')
  assert.equal(ownCgroup(hybrid, '0::/u\n'), '/cg/unified/u')
})

test('ownCgroup() finds none where none is mounted', () => {
  const none: Cgroups = { version: 1, controllers: new Map(), mountPoints: [] }
  assert.equal(ownCgroup(none, '1:pids:/\n0::/\n'), undefined)
  assert.equal(ownCgroup(hybrid, ''), undefined)
})
