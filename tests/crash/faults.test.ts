import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type EngineApi,
  loadFixture,
  readInventory,
  requireSound,
  restored,
  startDaemon,
  type TestDaemon,
  until,
} from '@berth/testing'

/** berthd dies at each of these points, and its successor must find its way: see `fault()` of @berth/base. */
const points = {
  create: ['prepare: made', 'create: snapshot', 'create: directory', 'create: recorded'],
  start: ['start: mounted', 'attach: noted', 'attach: created', 'start: attached', 'start: created', 'start: recorded'],
  exit: [
    'exit: reported',
    'exit: recorded',
    'release: runtime',
    'detach: ports',
    'detach: namespace',
    'release: network',
    'release: root filesystem',
  ],
  remove: [
    'remove: marked',
    'remove: detached',
    'remove: renamed',
    'remove: snapshot',
    'remove: released',
    'remove: recorded',
  ],
  image: ['load: read', 'unpack: unpacked', 'unpack: renamed', 'load: unpacked'],
  removeImage: ['remove image: untagged', 'remove image: recorded', 'remove image: layer', 'remove image: blob'],
  commit: ['layer: ingested', 'unpack: unpacked', 'unpack: renamed', 'layer: unpacked', 'commit: stored'],
} as const

interface Inspected {
  readonly Name: string
  readonly State: { readonly Status: string; readonly Pid: number; readonly ExitCode: number; readonly Paused: boolean }
  readonly HostConfig: { readonly Memory: number }
}

let daemon: TestDaemon
let empty: string[]

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  // What the first container brings for good (a bridge's neighbour entries, ...) is no leak.
  await run(daemon.api, 'warm', 'true')
  await until(async () => (await inspect('warm')).State.Status === 'exited')
  await daemon.api.json('DELETE', '/containers/warm')
  await settledInventory()
})
after(() => daemon?.[Symbol.asyncDispose]())
// A test that fails must not fail those after it.
afterEach(async () => {
  if (!(await daemon.api.ping())) await daemon.start()
  const all = (await daemon.api.json('GET', '/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of all) await daemon.api.request('DELETE', `/containers/${Id}?force=1`)
  for (const name of ['hello-world', 'committed']) await daemon.api.request('DELETE', `/images/${name}?force=1`)
})

/** The layer worker and the trash take a moment. */
async function settledInventory(): Promise<void> {
  await daemon.kill('SIGTERM')
  await daemon.start()
  empty = readInventory(daemon)
}

const inspect = async (name: string): Promise<Inspected> =>
  (await daemon.api.json('GET', `/containers/${name}/json`)) as Inspected

async function create(api: EngineApi, name: string, script: string, hostConfig: object = {}): Promise<void> {
  const HostConfig = { PortBindings: { '80/tcp': [{ HostPort: '' }] }, ...hostConfig }
  const config = { Image: 'busybox', Cmd: ['sh', '-c', script], ExposedPorts: { '80/tcp': {} }, HostConfig }
  await api.json('POST', `/containers/create?name=${name}`, config)
}

async function run(api: EngineApi, name: string, script: string, hostConfig: object = {}): Promise<void> {
  await create(api, name, script, hostConfig)
  await api.json('POST', `/containers/${name}/start`)
}

/** Does `prepare` in peace, then `action` with berthd dying at `point`, and starts its successor. */
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

/** The container works, whatever was done to it, and leaves nothing when it is removed. */
async function worksAndGoes(name: string): Promise<void> {
  const { api } = daemon
  await api.request('POST', `/containers/${name}/start`)
  assert.equal((await inspect(name)).State.Status, 'running')
  const { Id } = (await api.json('POST', `/containers/${name}/exec`, { Cmd: ['true'] })) as { Id: string }
  assert.equal((await api.request('POST', `/exec/${Id}/start`, { Detach: true })).status, 200)
  await api.json('DELETE', `/containers/${name}?force=1`)
  await restored(daemon, empty)
}

const untilTold = 'while [ ! -e /go ]; do sleep 0.02; done'

async function tell(name: string): Promise<void> {
  const { Id } = (await daemon.api.json('POST', `/containers/${name}/exec`, { Cmd: ['touch', '/go'] })) as {
    Id: string
  }
  await daemon.api.request('POST', `/exec/${Id}/start`, { Detach: true })
}

const sleepLong = 'exec sleep 100000'

for (const point of points.create) {
  test(`a create cut short at "${point}" leaves a container or nothing`, async () => {
    await dieAt(
      point,
      async () => {},
      () => create(daemon.api, 'cc', sleepLong),
    )
    const { status } = await daemon.api.request('GET', '/containers/cc/json')
    assert.equal(status, point === 'create: recorded' ? 200 : 404)
    if (status === 200) return await worksAndGoes('cc')
    await restored(daemon, empty)
  })
}

for (const point of points.start) {
  test(`a start cut short at "${point}" leaves a container that runs or can`, async () => {
    await dieAt(
      point,
      () => create(daemon.api, 'ss', sleepLong, { RestartPolicy: { Name: 'unless-stopped' } }),
      () => daemon.api.json('POST', '/containers/ss/start'),
    )
    const { State: state } = await inspect('ss')
    assert.equal(state.Status, point === 'start: created' || point === 'start: recorded' ? 'running' : 'created')
    await worksAndGoes('ss')
  })
}

for (const point of points.exit) {
  test(`an exit cut short at "${point}" is known, and given back`, async () => {
    await dieAt(
      point,
      () => run(daemon.api, 'ee', `${untilTold}; exit 7`),
      () => tell('ee'),
    )
    await until(async () => (await inspect('ee')).State.Status === 'exited')
    assert.equal((await inspect('ee')).State.ExitCode, 7)
    await daemon.api.json('DELETE', '/containers/ee')
    await restored(daemon, empty)
  })

  test(`a container that removes itself is gone after an exit cut short at "${point}"`, async () => {
    await dieAt(
      point,
      () => run(daemon.api, 'rr', untilTold, { AutoRemove: true }),
      () => tell('rr'),
    )
    await until(async () => (await daemon.api.request('GET', '/containers/rr/json')).status === 404)
    await restored(daemon, empty)
  })

  test(`a restart policy holds after an exit cut short at "${point}"`, async () => {
    const policy = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 } }
    await dieAt(
      point,
      () => run(daemon.api, 'pp', `[ ! -e /go ] || exec sleep 100000; ${untilTold}; exit 1`, policy),
      () => tell('pp'),
    )
    await until(async () => (await inspect('pp')).State.Status === 'running')
    await daemon.api.json('DELETE', '/containers/pp?force=1')
    await restored(daemon, empty)
  })
}

for (const point of points.remove) {
  test(`a removal cut short at "${point}" is finished`, async () => {
    await dieAt(
      point,
      () => create(daemon.api, 'dd', 'true'),
      () => daemon.api.json('DELETE', '/containers/dd'),
    )
    await until(async () => (await daemon.api.request('GET', '/containers/dd/json')).status === 404)
    await restored(daemon, empty)
  })
}

for (const point of points.image) {
  test(`a load cut short at "${point}" leaves no half image`, async () => {
    const load = () => loadFixture(daemon.api, 'hello-world')
    await dieAt(point, async () => {}, load)
    assert.equal((await daemon.api.request('GET', '/images/hello-world/json')).status, 404)
    await restored(daemon, empty)
    await load()
    assert.equal((await daemon.api.request('GET', '/images/hello-world/json')).status, 200)
    await daemon.api.json('DELETE', '/images/hello-world')
    await restored(daemon, empty)
  })
}

for (const point of points.removeImage) {
  test(`the removal of an image cut short at "${point}" leaves it whole, without its name, or nothing of it`, async () => {
    await loadFixture(daemon.api, 'hello-world')
    const { Id } = (await daemon.api.json('GET', '/images/hello-world/json')) as { Id: string }
    await dieAt(
      point,
      async () => {},
      () => daemon.api.json('DELETE', '/images/hello-world'),
    )
    const isThere = point === 'remove image: untagged'
    assert.equal((await daemon.api.request('GET', '/images/hello-world/json')).status, 404)
    assert.equal((await daemon.api.request('GET', `/images/${Id}/json`)).status, isThere ? 200 : 404)
    if (isThere) {
      await daemon.api.json('POST', '/containers/create?name=whole', { Image: Id })
      await daemon.api.json('POST', '/containers/whole/start')
      await daemon.api.json('DELETE', '/containers/whole?force=1')
      await daemon.api.json('DELETE', `/images/${Id}`)
    }
    await restored(daemon, empty)
  })
}

for (const point of points.commit) {
  test(`a commit cut short at "${point}" leaves no half image and no paused container`, async () => {
    await dieAt(
      point,
      () => run(daemon.api, 'kk', 'echo kept >/kept; exec sleep 100000'),
      () => daemon.api.json('POST', '/commit?container=kk&repo=committed'),
    )
    assert.equal((await daemon.api.request('GET', '/images/committed/json')).status, 404)
    const { State: state } = await inspect('kk')
    assert.deepEqual([state.Status, state.Paused], ['running', false])
    await worksAndGoes('kk')
  })
}

test('a rename cut short after its record has happened', async () => {
  await dieAt(
    'rename: recorded',
    () => create(daemon.api, 'old', sleepLong),
    () => daemon.api.json('POST', '/containers/old/rename?name=new'),
  )
  assert.equal((await inspect('new')).Name, '/new')
  await worksAndGoes('new')
})

test('an update cut short before its record leaves a container that can be updated', async () => {
  await dieAt(
    'update: applied',
    () => run(daemon.api, 'uu', sleepLong, { Memory: 64 << 20, MemorySwap: 64 << 20 }),
    () => daemon.api.json('POST', '/containers/uu/update', { Memory: 32 << 20, MemorySwap: 32 << 20 }),
  )
  await daemon.api.json('POST', '/containers/uu/update', { Memory: 48 << 20, MemorySwap: 48 << 20 })
  assert.equal((await inspect('uu')).HostConfig.Memory, 48 << 20)
  await worksAndGoes('uu')
})
