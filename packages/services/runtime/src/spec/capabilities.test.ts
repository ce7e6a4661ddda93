import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultCapabilities, resolveCapabilities } from './capabilities.ts'

const available = ['CAP_CHOWN', 'CAP_KILL', 'CAP_SYS_ADMIN']
const resolve = (capAdd: string[], capDrop: string[], isPrivileged = false) =>
  resolveCapabilities({ isPrivileged, capAdd, capDrop }, available)

test('resolveCapabilities() adds to and drops from the defaults, names in any form', () => {
  assert.deepEqual(resolve([], []), defaultCapabilities)
  assert.deepEqual(resolve(['net_admin', 'CAP_NET_ADMIN'], ['mknod']), [
    ...defaultCapabilities.filter((name) => name !== 'CAP_MKNOD'),
    'CAP_NET_ADMIN',
  ])
})

test('resolveCapabilities() takes ALL as all that the engine has, or none', () => {
  assert.deepEqual(resolve(['all'], ['sys_admin']), ['CAP_CHOWN', 'CAP_KILL'])
  assert.deepEqual(resolve(['chown'], ['ALL']), ['CAP_CHOWN'])
  assert.deepEqual(resolve([], ['ALL'], true), available)
})
