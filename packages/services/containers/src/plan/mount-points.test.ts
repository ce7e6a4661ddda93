import assert from 'node:assert/strict'
import { test } from 'node:test'
import { plan } from './fixtures.ts'

const mounts = (hostConfig: object) => plan({ hostConfig }).mounts

test('planContainer() shows binds clean, with their mode as given', () => {
  assert.deepEqual(mounts({ Binds: ['/a//b/../c/:/x//y/:ro,z,rslave,delegated', '/mnt:/z'] }), [
    {
      type: 'bind',
      source: '/a/c',
      destination: '/x/y',
      mode: 'ro,z,rslave,delegated',
      rw: false,
      propagation: 'rslave',
    },
    { type: 'bind', source: '/mnt', destination: '/z', mode: '', rw: true, propagation: 'rprivate' },
  ])
})

test("planContainer() makes binds that show the engine's directory follow its unmounts", () => {
  const propagation = (source: string) => mounts({ Binds: [`${source}:/x`] })[0]?.propagation
  assert.deepEqual(['/', '/var', '/var/lib/berth/x', '/var/lib/berthe'].map(propagation), [
    'rslave',
    'rslave',
    'rslave',
    'rprivate',
  ])
})

test('planContainer() shows mounts of type bind and tmpfs', () => {
  const asked = [
    { Type: 'bind', Source: '/mnt/', Target: '/x/', ReadOnly: true },
    { Type: 'tmpfs', Target: '/t', TmpfsOptions: { SizeBytes: 1048576, Mode: 0o700, Options: [['exec']] } },
  ]
  assert.deepEqual(mounts({ Mounts: asked }), [
    { type: 'bind', source: '/mnt', destination: '/x', mode: '', rw: false, propagation: 'rprivate' },
    { type: 'tmpfs', source: '', destination: '/t', mode: '', rw: true, propagation: '' },
  ])
})

test("planContainer() lets the host's own /proc be shown, and LXCFS's files", () => {
  assert.equal(mounts({ Binds: ['/proc:/proc', '/lxcfs/meminfo:/proc/meminfo'] }).length, 2)
})
