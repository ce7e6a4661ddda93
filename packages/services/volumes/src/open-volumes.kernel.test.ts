import { type ContainerId, type Logger, silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { readMountInfo } from '@berth/linux'
import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { afterEach, beforeEach, test } from 'node:test'
import { type OwnedVolumes, openVolumes } from './open-volumes.ts'
import type { VolumeRequest } from './volume.ts'

let root: string
let volumes: OwnedVolumes
const container = (digit: string): ContainerId => digit.repeat(64) as ContainerId
const ask = (name: string, options: Record<string, string> | null = null): VolumeRequest => ({
  name,
  driver: '',
  labels: null,
  options,
})

const open = (logger: Logger = silentLogger): Promise<OwnedVolumes> =>
  openVolumes({ root, database: openDatabase(join(root, 'db')), events: { publish: () => {} }, logger })

async function reopen(): Promise<void> {
  await volumes[Symbol.asyncDispose]()
  volumes = await open()
}

/** Leaves a volume in the phase that a crash can leave it in. */
async function interrupt(name: string, phase: string): Promise<void> {
  await volumes[Symbol.asyncDispose]()
  using database = openDatabase(join(root, 'db'))
  database.prepare('UPDATE volumes SET phase = ? WHERE name = ?').run(phase, name)
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'berth-volumes-'))
  volumes = await open()
})
afterEach(async () => {
  await volumes[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

test('openVolumes() lets nobody but root pass, whatever a volume’s own mode is', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  chmodSync(mountpoint, 0o1777)
  const modes = [join(root, 'volumes'), join(root, 'volumes/own')].map((path) => statSync(path).mode & 0o777)
  assert.deepEqual(modes, [0o701, 0o701])
})

test('openVolumes() finishes a filling that was moving in, over nothing that is there', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  const staging = join(root, 'volumes/own/_fill')
  mkdirSync(staging)
  for (const name of ['a', 'b']) writeFileSync(join(staging, name), 'new')
  chownSync(staging, 3, 4)
  writeFileSync(join(mountpoint, 'a'), 'old')
  await interrupt('own', 'moving')
  volumes = await open()
  assert.deepEqual(
    ['a', 'b'].map((name) => readFileSync(join(mountpoint, name), 'utf8')),
    ['old', 'new'],
  )
  assert.deepEqual([statSync(mountpoint).uid, existsSync(staging)], [3, false])
})

test('openVolumes() throws a filling away that was not complete', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  mkdirSync(join(root, 'volumes/own/_fill'))
  writeFileSync(join(root, 'volumes/own/_fill/half'), '')
  await interrupt('own', 'copying')
  volumes = await open()
  assert.deepEqual(readdirSync(mountpoint), [])
  assert.deepEqual(readdirSync(join(root, 'volumes/own')), ['_data'])
})

test('openVolumes() drops the half filled volume of a container that never came to be, and calls that no error', async () => {
  const { name } = await volumes.acquire(ask(''), container('a'))
  mkdirSync(join(root, 'volumes', name, '_fill'))
  await interrupt(name, 'copying')
  const errors: unknown[] = []
  volumes = await open({ ...silentLogger, error: (...said: unknown[]) => errors.push(said) })
  assert.deepEqual([volumes.list(), errors], [[], []])
  assert.equal(existsSync(join(root, 'volumes', name)), false)
})

test('openVolumes() leaves alone what no row names', async () => {
  mkdirSync(join(root, 'volumes/stray/_data'), { recursive: true })
  writeFileSync(join(root, 'volumes/stray/_data/precious'), '')
  await reopen()
  assert.ok(existsSync(join(root, 'volumes/stray/_data/precious')))
  assert.deepEqual(volumes.list(), [])
})

test('remove() never deletes what is mounted in a volume', async () => {
  const source = join(root, 'source')
  mkdirSync(source)
  writeFileSync(join(source, 'precious'), '')
  await volumes.create(ask('own', { type: 'none', device: source, o: 'bind' }))
  await volumes.mount('own', container('a'))
  await assert.rejects(volumes.remove('own'), { kind: 'conflict' })
  // As after a crash: nobody knows of the mount any more.
  await reopen()
  await volumes.remove('own')
  await volumes.emptyTrash()
  assert.deepEqual(readdirSync(source), ['precious'])
  assert.ok(!readMountInfo().some(({ target }) => target.startsWith(root)))
})

test('mount() mounts a device once, until the last container unmounts it', async () => {
  const { mountpoint } = await volumes.create(ask('own', { type: 'tmpfs', device: 'tmpfs' }))
  const count = () => readMountInfo().filter(({ target }) => target === mountpoint).length
  await Promise.all(['a', 'a', 'b'].map((digit) => volumes.mount('own', container(digit))))
  assert.equal(count(), 1)
  await volumes.unmountAll(container('a'))
  assert.equal(count(), 1)
  await volumes.unmountAll(container('b'))
  assert.equal(count(), 0)
})

test('drop() removes the anonymous volumes of a container that never came to be, keep() keeps them', async () => {
  const [kept, dropped] = [container('a'), container('b')]
  const { name } = await volumes.acquire(ask(''), kept)
  volumes.keep(kept, () => {})
  await volumes.acquire(ask(''), dropped)
  await volumes.acquire(ask('named'), dropped)
  await volumes.drop(dropped)
  assert.deepEqual(
    volumes.list().map((volume) => volume.name),
    [name, 'named'].toSorted(),
  )
})

test('keep() keeps nothing when the record cannot be written', async () => {
  await volumes.acquire(ask(''), container('a'))
  assert.throws(() =>
    volumes.keep(container('a'), () => {
      throw new Error('full')
    }),
  )
  await reopen()
  assert.deepEqual(volumes.list(), [])
})

test('usage() keeps the size of a volume that no container has mounted, but sees what comes and goes in its directory', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  mkdirSync(join(mountpoint, 'deep'))
  const grow = (name: string, sizeBytes: number) => writeFileSync(join(mountpoint, name), 'x'.repeat(sizeBytes))
  grow('deep/f', 1)
  assert.equal(await volumes.usage('own'), 1)
  grow('deep/f', 2)
  assert.equal(await volumes.usage('own'), 1)
  grow('new', 10)
  assert.equal(await volumes.usage('own'), 12)
  await volumes.mount('own', container('a'))
  grow('deep/f', 3)
  assert.equal(await volumes.usage('own'), 13)
  grow('deep/f', 4)
  assert.equal(await volumes.usage('own'), 14)
  await volumes.unmountAll(container('a'))
  grow('deep/f', 5)
  assert.equal(await volumes.usage('own'), 15)
})

test('usage() keeps no size that was asked for at rest and found out while a container had the volume', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  mkdirSync(join(mountpoint, 'deep'))
  const asked = volumes.usage('own')
  await volumes.mount('own', container('a'))
  writeFileSync(join(mountpoint, 'deep/f'), 'x')
  await asked
  writeFileSync(join(mountpoint, 'deep/f'), 'xx')
  await volumes.unmountAll(container('a'))
  assert.equal(await volumes.usage('own'), 2)
})

test('prune() tells the bytes that there are, whatever was kept of them', async () => {
  const { mountpoint } = await volumes.create(ask(''))
  mkdirSync(join(mountpoint, 'deep'))
  assert.equal(await volumes.usage(volumes.list()[0]!.name), 0)
  writeFileSync(join(mountpoint, 'deep/f'), 'x')
  assert.equal((await volumes.prune({})).reclaimedBytes, 1)
})

test('users() names each container that has a volume once', async () => {
  const [a, b] = [container('a'), container('b')]
  volumes.onUseQuery(() => [a, a, b].map((containerId) => ({ volume: 'own', containerId })))
  await volumes.acquire(ask('other'), b)
  assert.deepEqual(
    [...volumes.users()].map(([name, users]) => [name, [...users]]),
    [
      ['own', [a, b]],
      ['other', [b]],
    ],
  )
})

test('fill() leaves an empty volume when it fails', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  const failing = volumes.fill('own', container('a'), (directory) => {
    writeFileSync(join(directory, 'half'), '')
    return Promise.reject(new Error('no space'))
  })
  await assert.rejects(failing, /no space/)
  assert.deepEqual([readdirSync(mountpoint), readdirSync(join(root, 'volumes/own'))], [[], ['_data']])
})

test('fill() keeps the directory that others have mounted, and moves 10,000 files in beside the event loop', async () => {
  const { mountpoint } = await volumes.create(ask('own'))
  const { ino } = statSync(mountpoint)
  const delay = monitorEventLoopDelay({ resolution: 5 })
  await volumes.fill('own', container('a'), async (directory) => {
    for (let i = 0; i < 10_000; i++) writeFileSync(join(directory, `f${i}`), '')
    delay.enable()
    return 'filled'
  })
  delay.disable()
  assert.equal(statSync(mountpoint).ino, ino)
  assert.equal(readdirSync(mountpoint).length, 10_000)
  assert.ok(delay.max < 200e6, `the loop waited ${delay.max / 1e6} ms`)
})
