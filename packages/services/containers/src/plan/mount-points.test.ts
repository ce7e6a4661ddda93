import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { MountPoint } from '../container.ts'
import { plan, type PlanRequest } from './fixtures.ts'

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
      makesSource: true,
    },
    { type: 'bind', source: '/mnt', destination: '/z', mode: '', rw: true, propagation: 'rprivate', makesSource: true },
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
    {
      type: 'tmpfs',
      source: '',
      destination: '/t',
      mode: '',
      rw: true,
      propagation: '',
      tmpfsOptions: ['mode=700', 'size=1048576', 'exec'],
    },
  ])
})

test("planContainer() lets the host's own /proc be shown, and LXCFS's files", () => {
  assert.equal(mounts({ Binds: ['/proc:/proc', '/lxcfs/meminfo:/proc/meminfo'] }).length, 2)
})

const shown = (request: { hostConfig?: object; config?: object; image?: object; context?: object }) =>
  plan(request as PlanRequest).mounts.map(({ type, destination, mode, rw, request: volume }) =>
    [type, volume?.name ?? '', destination, mode, rw ? 'rw' : 'ro'].join(' '),
  )

test('planContainer() takes what is no path for the name of a volume', () => {
  const hostConfig = {
    Binds: ['data:/d', 'logs:/l:ro,nocopy', '/srv:/s'],
    Mounts: [
      { Type: 'volume', Source: 'more', Target: '/m', ReadOnly: true },
      { Type: 'volume', Target: '/n' },
    ],
  }
  assert.deepEqual(shown({ hostConfig, config: { Volumes: { '/a': {} } } }), [
    'volume data /d z rw',
    'volume logs /l ro,nocopy ro',
    'bind  /s  rw',
    'volume more /m z ro',
    'volume  /n z rw',
    'volume  /a  rw',
  ])
})

test('planContainer() makes an anonymous volume only where nothing else is', () => {
  const image = { Cmd: ['sh'], Volumes: { '/a': {}, '/b/': {}, '/c': {}, d: {} } }
  const hostConfig = {
    Binds: ['data:/a'],
    Tmpfs: { '/b': '' },
    Mounts: [{ Type: 'tmpfs', Target: '/c' }],
  }
  assert.deepEqual(shown({ hostConfig, image }), ['volume data /a z rw', 'tmpfs  /c  rw', 'volume  /d  rw'])
})

test('planContainer() takes over binds and volumes of others, read-only where asked, under what is its own', () => {
  const volume = { isNamed: true, isFilled: true, subpath: '' }
  const theirs: MountPoint[] = [
    {
      type: 'volume',
      name: 'v',
      driver: 'local',
      source: '/v',
      destination: '/v',
      mode: 'z',
      rw: true,
      propagation: '',
      volume,
    },
    { type: 'bind', source: '/srv', destination: '/s', mode: '', rw: false, propagation: 'rprivate' },
    { type: 'tmpfs', source: '', destination: '/t', mode: '', rw: true, propagation: '' },
    {
      type: 'volume',
      name: 'w',
      driver: 'local',
      source: '/w',
      destination: '/w',
      mode: 'z',
      rw: true,
      propagation: '',
      volume,
    },
  ]
  const context = { mountsOf: () => theirs }
  const hostConfig = { VolumesFrom: ['other:ro'], Binds: ['mine:/w'] }
  assert.deepEqual(shown({ hostConfig, context }), ['volume v /v  ro', 'bind  /s  ro', 'volume mine /w z rw'])
  assert.equal(plan({ hostConfig, context } as PlanRequest).mounts[0]?.volume?.isFilled, false)
})
