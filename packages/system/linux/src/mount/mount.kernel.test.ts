import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { LinuxError } from '../error.ts'
import { isMountPoint } from '../file/statx.ts'
import { readMountInfo } from './mount-info.ts'
import { bindMount, mount, MS_NODEV, setPropagation, unmount, unmountAsync } from './mount.ts'
import { mountByText, mountOverlay } from './overlay.ts'
import { mountPoints, mountsSince } from '@berth/testing'

let directory: string
let mountsBefore: readonly string[]

beforeEach(() => {
  mountsBefore = mountPoints()
  directory = mkdtempSync(join(tmpdir(), 'berth-mount-'))
  mount({ source: 'tmpfs', target: directory, type: 'tmpfs' })
})

afterEach(() => {
  unmount(directory)
  rmSync(directory, { recursive: true })
  assert.deepEqual(mountsSince(mountsBefore), [])
})

const make = (name: string): string => {
  mkdirSync(join(directory, name))
  return join(directory, name)
}

test('mount() and unmount() are seen by isMountPoint() and readMountInfo()', () => {
  const target = make('a b')
  assert.equal(isMountPoint(target), false)
  mount({ source: 'x', target, type: 'tmpfs', flags: MS_NODEV, data: 'size=4096,mode=700' })
  assert.equal(isMountPoint(target), true)
  const info = readMountInfo().find((entry) => entry.target === target)
  assert.deepEqual([info?.type, info?.source, info?.options.includes('nodev')], ['tmpfs', 'x', true])
  unmount(target)
  assert.equal(isMountPoint(target), false)
})

test('unmount() says what failed, where and why', () => {
  const target = make('a')
  assert.throws(() => unmount(target), new LinuxError('umount2', 22, { path: target }))
  assert.throws(() => unmount('/nowhere'), { syscall: 'umount2', code: 'ENOENT', path: '/nowhere' })
})

test('unmountAsync() reports errno from the pool thread', async () => {
  await assert.rejects(unmountAsync('/nowhere'), { syscall: 'umount2', code: 'ENOENT' })
  const target = make('a')
  mount({ source: 'x', target, type: 'tmpfs' })
  await unmountAsync(target)
  assert.equal(isMountPoint(target), false)
})

test('bindMount() read-only refuses writes', () => {
  const [source, target] = [make('source'), make('target')]
  bindMount(source, target, { readOnly: true })
  assert.throws(() => writeFileSync(join(target, 'f'), ''), { code: 'EROFS' })
  unmount(target)
})

test('setPropagation() makes a mount shared', () => {
  setPropagation(directory, 'shared')
  assert.match(
    readMountInfo()
      .find((entry) => entry.target === directory)
      ?.optional.join() ?? '',
    /^shared:/,
  )
  setPropagation(directory, 'private')
})

// Kernels before 6.5 have the latter alone.
for (const [name, mountLayers] of Object.entries({ mountOverlay, mountByText })) {
  test(`${name}() mounts 127 layers, whose paths are longer than a page together`, () => {
    const lower = Array.from({ length: 127 }, (_, index) => make(`layer-with-a-rather-long-name,:-${index}`))
    for (const [index, layer] of lower.entries()) writeFileSync(join(layer, 'top'), `${index}`)
    writeFileSync(join(lower[126] ?? '', 'bottom'), 'bottom')
    const options = { lower, upper: make('upper'), work: make('work'), target: make('merged'), volatile: true }
    mountLayers(options)
    assert.equal(readFileSync(join(options.target, 'top'), 'utf8'), '0')
    assert.equal(readFileSync(join(options.target, 'bottom'), 'utf8'), 'bottom')
    writeFileSync(join(options.target, 'new'), '')
    assert.deepEqual(readdirSync(options.upper), ['new'])
    unmount(options.target)
  })

  test(`${name}() without an upper is read-only`, () => {
    const options = { lower: [make('a'), make('b')], target: make('merged') }
    mountLayers(options)
    assert.throws(() => writeFileSync(join(options.target, 'f'), ''), { code: 'EROFS' })
    unmount(options.target)
  })

  test(`${name}() names the layer that does not exist and leaves nothing behind`, () => {
    const [layer, target] = [make('a'), make('merged')]
    const missing = join(directory, 'missing')
    assert.throws(
      () => mountLayers({ lower: [layer, missing], target }),
      (error: Error) => error.message.includes(missing),
    )
    assert.equal(isMountPoint(target), false)
    assert.equal(existsSync(missing), false)
  })
}
