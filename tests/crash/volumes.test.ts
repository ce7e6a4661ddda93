import {
  loadFixture,
  readInventory,
  requireSound,
  restored,
  startDaemon,
  type TestDaemon,
  type TestEngine,
  until,
} from '@berth/testing'
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadImage } from '../security/probe.ts'

/** berthd dies at each of these points, and nothing of a volume may be lost or left behind: see `fault()` of @berth/base. */
const points = {
  volumeCreate: ['volume create: recorded', 'volume create: made'],
  volumeRemove: ['volume remove: marked', 'volume remove: renamed', 'volume remove: recorded'],
  create: ['create: volumes', 'fill: copying', 'fill: copied', 'fill: moving', 'fill: moved', 'create: filled'],
  start: ['start: volumes', 'start: pinned', 'start: created', 'start: recorded'],
  exit: ['exit: recorded', 'release: network', 'release: volumes', 'release: root filesystem'],
  remove: [
    'remove: marked',
    'volume remove: marked',
    'volume remove: renamed',
    'volume remove: recorded',
    'remove: volumes',
    'remove: released',
  ],
} as const

const files = ['a', 'b', 'c/d', 'c/e'].map((path) => ({ path: `data/${path}`, content: path.repeat(1000) }))
let daemon: TestDaemon
let image: string
let empty: string[]

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  const loader: Pick<TestEngine, 'api' | 'name'> = { api: daemon.api, name: () => 'volumes' }
  image = await loadImage(loader as TestEngine, files, { config: { Env: ['PATH=/bin'], Volumes: { '/data': {} } } })
  // What the first container brings for good is no leak.
  await create('warm', {})
  await daemon.api.json('POST', '/containers/warm/start')
  await daemon.api.json('DELETE', '/containers/warm?force=1&v=1')
  await daemon.kill('SIGTERM')
  await daemon.start()
  const trash = join(daemon.dataRoot, 'volumes', '.trash')
  await until(() => readdirSync(trash).length === 0)
  empty = readInventory(daemon)
})
after(() => daemon?.[Symbol.asyncDispose]())
// A test that fails must not fail those after it.
afterEach(async () => {
  if (!(await daemon.api.ping())) await daemon.start()
  const all = (await daemon.api.json('GET', '/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of all) await daemon.api.request('DELETE', `/containers/${Id}?force=1&v=1`)
  for (const name of await volumes()) await daemon.api.request('DELETE', `/volumes/${name}?force=1`)
})

async function volumes(): Promise<string[]> {
  const { Volumes } = (await daemon.api.json('GET', '/volumes')) as { Volumes: { Name: string }[] }
  return Volumes.map(({ Name }) => Name)
}

async function create(name: string, hostConfig: object, Cmd = ['sleep', '100000']): Promise<void> {
  await daemon.api.json('POST', `/containers/create?name=${name}`, { Image: image, Cmd, HostConfig: hostConfig })
}

async function dieAt(point: string, prepare: () => Promise<unknown>, action: () => Promise<unknown>): Promise<void> {
  await prepare()
  await daemon.kill('SIGKILL')
  await daemon.start({ BERTH_FAULT: point })
  const acting = action().catch(() => {})
  await Promise.race([
    daemon.ended(),
    sleep(10_000, undefined, { ref: false }).then(() => assert.fail(`berthd did not come to ${point}`)),
  ])
  await acting
  await daemon.start()
  await requireSound(daemon)
}

const dataOf = (volume: string): string => join(daemon.dataRoot, 'volumes', volume, '_data')

function isWhole(volume: string): boolean {
  return files.every(({ path, content }) => readFileSync(join(dataOf(volume), path.slice(5)), 'utf8') === content)
}

const status = async (name: string): Promise<string> => {
  const { State: state } = (await daemon.api.json('GET', `/containers/${name}/json`)) as { State: { Status: string } }
  return state.Status
}

for (const point of points.volumeCreate) {
  test(`a volume whose making was cut short at "${point}" is there and works`, async () => {
    const body = { Name: 'made', Labels: { a: 'b' }, DriverOpts: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' } }
    await dieAt(
      point,
      async () => {},
      () => daemon.api.json('POST', '/volumes/create', body),
    )
    const volume = (await daemon.api.json('GET', '/volumes/made')) as { Labels: object; Options: object }
    assert.deepEqual([volume.Labels, volume.Options], [body.Labels, body.DriverOpts])
    assert.deepEqual(readdirSync(dataOf('made')), [])
    await daemon.api.json('DELETE', '/volumes/made')
    await restored(daemon, empty)
  })
}

for (const point of points.volumeRemove) {
  test(`a volume whose removal was cut short at "${point}" is gone`, async () => {
    await dieAt(
      point,
      () => daemon.api.json('POST', '/volumes/create', { Name: 'gone' }),
      () => daemon.api.json('DELETE', '/volumes/gone'),
    )
    assert.deepEqual(await volumes(), [])
    await restored(daemon, empty)
  })
}

for (const point of points.create) {
  test(`a create cut short at "${point}" leaves no anonymous volume, and a named one empty or whole`, async () => {
    await dieAt(
      point,
      async () => {},
      () => create('cc', { Binds: ['named:/data', 'other:/x'] }),
    )
    assert.equal((await daemon.api.request('GET', '/containers/cc/json')).status, 404)
    const entries = readdirSync(dataOf('named'))
    if (entries.length > 0) assert.ok(isWhole('named'))
    await create('cc', { Binds: ['named:/data', 'other:/x'] })
    assert.ok(isWhole('named'))
    assert.deepEqual(readdirSync(join(daemon.dataRoot, 'volumes', 'named')), ['_data'])
    await daemon.api.json('DELETE', '/containers/cc')
    for (const name of ['named', 'other']) await daemon.api.json('DELETE', `/volumes/${name}`)
    await restored(daemon, empty)
    await dieAt(
      point,
      async () => {},
      () => create('aa', { Binds: [] }),
    )
    assert.deepEqual(await volumes(), [])
    await restored(daemon, empty)
  })
}

const tmpfs = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }
const everything = {
  Mounts: [
    { Type: 'volume', Source: 'device', Target: '/d', VolumeOptions: { DriverConfig: { Options: tmpfs } } },
    { Type: 'volume', Source: 'part', Target: '/p', VolumeOptions: { Subpath: 'c' } },
    { Type: 'image', Source: 'busybox', Target: '/i' },
  ],
}

/** A container with a volume on a device, a part of a volume, an image and an anonymous volume. */
async function createAll(name: string, more: object = {}): Promise<void> {
  await create('filler', { Binds: ['part:/data'] })
  await daemon.api.json('DELETE', '/containers/filler')
  await create(name, { ...everything, ...more })
}

async function removeAll(name: string): Promise<void> {
  await daemon.api.json('DELETE', `/containers/${name}?force=1&v=1`)
  for (const volume of ['device', 'part']) await daemon.api.json('DELETE', `/volumes/${volume}`)
  assert.deepEqual(await volumes(), [])
  await restored(daemon, empty)
}

const deviceMounts = (): number =>
  readFileSync(`/proc/${daemon.sandbox.pid}/mountinfo`, 'utf8')
    .split('\n')
    .filter((line) => line.includes(dataOf('device'))).length

for (const point of points.start) {
  test(`a start cut short at "${point}" leaves a container that runs or can, and mounts for one that runs only`, async () => {
    await dieAt(
      point,
      () => createAll('ss'),
      () => daemon.api.json('POST', '/containers/ss/start'),
    )
    const isRunning = point === 'start: created' || point === 'start: recorded'
    assert.equal(await status('ss'), isRunning ? 'running' : 'created')
    assert.equal(deviceMounts(), isRunning ? 1 : 0)
    await daemon.api.request('POST', '/containers/ss/start')
    assert.equal(deviceMounts(), 1)
    await removeAll('ss')
  })
}

for (const point of points.exit) {
  test(`an exit cut short at "${point}" unmounts what nobody uses any more`, async () => {
    await dieAt(
      point,
      async () => {
        await createAll('ee')
        await daemon.api.json('POST', '/containers/ee/start')
      },
      () => daemon.api.json('POST', '/containers/ee/kill'),
    )
    await until(async () => (await status('ee')) === 'exited')
    await until(() => deviceMounts() === 0)
    await removeAll('ee')
  })
}

for (const point of points.remove) {
  test(`a removal with its volumes cut short at "${point}" takes the anonymous ones and no other`, async () => {
    await dieAt(
      point,
      () => createAll('rr'),
      () => daemon.api.json('DELETE', '/containers/rr?v=1'),
    )
    await until(async () => (await daemon.api.request('GET', '/containers/rr/json')).status === 404)
    assert.deepEqual(await volumes(), ['device', 'part'])
    assert.ok(isWhole('part'))
    for (const volume of ['device', 'part']) await daemon.api.json('DELETE', `/volumes/${volume}`)
    await restored(daemon, empty)
  })

  test(`a container that removes itself takes its anonymous volumes also when cut short at "${point}"`, async () => {
    await dieAt(
      point,
      async () => {
        await createAll('ar', { AutoRemove: true })
        await daemon.api.json('POST', '/containers/ar/start')
      },
      () => daemon.api.json('POST', '/containers/ar/kill'),
    )
    await until(async () => (await daemon.api.request('GET', '/containers/ar/json')).status === 404)
    assert.deepEqual(await volumes(), ['device', 'part'])
    for (const volume of ['device', 'part']) await daemon.api.json('DELETE', `/volumes/${volume}`)
    await restored(daemon, empty)
  })
}

test('a device that several containers use stays mounted through the death of berthd until the last of them ends', async () => {
  await daemon.api.json('POST', '/volumes/create', { Name: 'device', DriverOpts: tmpfs })
  for (const name of ['one', 'two']) {
    const twice = name === 'one' ? ['device:/d', 'device:/e:ro'] : ['device:/d']
    await create(name, { Binds: twice })
    await daemon.api.json('POST', `/containers/${name}/start`)
  }
  const exec = async (name: string, Cmd: string[]): Promise<void> => {
    const { Id } = (await daemon.api.json('POST', `/containers/${name}/exec`, { Cmd, AttachStdout: true })) as {
      Id: string
    }
    await daemon.api.request('POST', `/exec/${Id}/start`, {})
    const { ExitCode } = (await daemon.api.json('GET', `/exec/${Id}/json`)) as { ExitCode: number }
    assert.equal(ExitCode, 0, Cmd.join(' '))
  }
  await exec('one', ['touch', '/d/written'])
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    await daemon.kill(signal)
    await daemon.start()
    assert.equal(deviceMounts(), 1)
  }
  await daemon.api.json('DELETE', '/containers/one?force=1&v=1')
  assert.equal(deviceMounts(), 1)
  await exec('two', ['test', '-e', '/d/written'])
  const { text } = await daemon.api.request('DELETE', '/volumes/device')
  assert.match(text, /volume is in use/)
  await daemon.api.json('DELETE', '/containers/two?force=1&v=1')
  assert.equal(deviceMounts(), 0)
  await daemon.api.json('DELETE', '/volumes/device')
  await restored(daemon, empty)
})
