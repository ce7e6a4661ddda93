import { type ContainerId, isKind } from '@berth/base'
import { decodeContainerCreate, newestVersion } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Containers } from './containers.ts'
import { openForTest } from './testing/open-for-test.ts'

const until = new AbortController().signal

async function create(
  containers: Containers,
  name: string,
  hostConfig: object = {},
  config: object = {},
): Promise<ContainerId> {
  const request = decodeContainerCreate({ Image: 'busybox', HostConfig: hostConfig, ...config }, newestVersion)
  const { id } = await containers.create({ ...request, name })
  return id
}

test('start() and stop() go through created, running and exited, and give everything back', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'one')
  assert.equal(containers.get('one').state.status, 'created')
  await containers.start('one')
  assert.equal(containers.get(id).state.status, 'running')
  await assert.rejects(containers.start(id), (error) => isKind(error, 'notModified'))
  await containers.stop(id.slice(0, 12), {})
  const { state, stoppedByUser } = containers.get(id)
  assert.deepEqual(
    { status: state.status, exitCode: state.exitCode, stoppedByUser },
    { status: 'exited', exitCode: 143, stoppedByUser: true },
  )
  await containers.remove(id, { force: false, volumes: false, link: false })
  assert.deepEqual([engine.mounted.size, engine.attached.size, runtime.unacknowledged.size], [0, 0, 0])
  assert.throws(() => containers.get(id), /No such container/)
})

test('stop() kills what does not heed its stop signal', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  runtime.deadly = new Set([9])
  const id = await create(containers, 'deaf')
  await containers.start(id)
  await containers.stop(id, { timeoutSeconds: 0 })
  assert.equal(containers.get(id).state.exitCode, 137)
  assert.deepEqual(
    runtime.calls.filter((call) => call.startsWith('kill')),
    ['kill 15', 'kill 9'],
  )
})

test('a failed start() leaves nothing behind and keeps the error', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  runtime.startError = new Error('the runtime said no')
  const id = await create(containers, 'broken')
  await assert.rejects(containers.start(id), /the runtime said no/)
  const { state } = containers.get(id)
  assert.deepEqual([state.status, state.error, state.exitCode], ['created', 'the runtime said no', 128])
  assert.deepEqual([engine.mounted.size, engine.attached.size], [0, 0])
})

test('an exit wakes next-exit and, with AutoRemove, removed waiters', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'brief', { AutoRemove: true })
  const exited = containers.wait(id, 'next-exit', until).result
  const removed = containers.wait(id, 'removed', until).result
  await containers.start(id)
  runtime.end(id, 3)
  assert.deepEqual(await exited, { exitCode: 3 })
  assert.deepEqual(await removed, { exitCode: 3 })
  assert.throws(() => containers.get(id), /No such container/)
})

test('a restart policy restarts after an exit, but not after a stop', async () => {
  using engine = await openForTest()
  const { containers, runtime, events } = engine
  const id = await create(containers, 'phoenix', { RestartPolicy: { Name: 'always' } })
  const aborter = new AbortController()
  const started = events.subscribe({ accepts: ({ Action }) => Action === 'start' }, aborter.signal)
  const starts = started[Symbol.asyncIterator]()
  await containers.start(id)
  await starts.next()
  runtime.end(id, 1)
  await starts.next()
  assert.deepEqual([containers.get(id).state.status, containers.get(id).restartCount], ['running', 1])
  await containers.stop(id, {})
  assert.equal(containers.get(id).state.status, 'exited')
  aborter.abort()
})

test('reconcile() adopts what runs and takes in exits that nobody saw', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const alive = await create(containers, 'alive')
  const ended = await create(containers, 'ended')
  const lost = await create(containers, 'lost')
  for (const id of [alive, ended, lost]) await containers.start(id)
  await containers[Symbol.asyncDispose]()
  runtime.end(ended, 7, { silently: true })
  runtime.live.delete(lost)
  const again = await engine.reopen()
  await again.reconcile()
  const states = [alive, ended, lost].map((id) => again.get(id).state).map(({ status, exitCode }) => [status, exitCode])
  assert.deepEqual(states, [
    ['running', 0],
    ['exited', 7],
    ['exited', 255],
  ])
})

test('create() refuses a name that is taken, also by a create under way', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const both = await Promise.allSettled([create(containers, 'same'), create(containers, 'same')])
  assert.deepEqual(both.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await assert.rejects(
    create(containers, 'same'),
    /The container name "\/same" is already in use by container "[0-9a-f]{64}"/,
  )
})

test('remove() of a running container needs force', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const id = await create(containers, 'busy')
  await containers.start(id)
  const options = { force: false, volumes: false, link: false }
  await assert.rejects(
    containers.remove(id, options),
    /container is running: stop the container before removing or force remove/,
  )
  await containers.remove(id, { ...options, force: true })
  assert.equal(engine.mounted.size, 0)
})

test('list() filters by status, name, label and order', async () => {
  using engine = await openForTest()
  const { containers } = engine
  await create(containers, 'aa', {}, { Labels: { tier: 'web' } })
  await create(containers, 'bb')
  await containers.start('bb')
  const names = async (filters: Record<string, string[]>, all = true) =>
    (await containers.list({ all, size: false, filters })).map(({ name }) => name)
  assert.deepEqual(await names({}), ['bb', 'aa'])
  assert.deepEqual(await names({}, false), ['bb'])
  assert.deepEqual(await names({ status: ['created'] }), ['aa'])
  assert.deepEqual(await names({ label: ['tier=web'] }), ['aa'])
  assert.deepEqual(await names({ name: ['^b'] }), ['bb'])
  assert.deepEqual(await names({ before: ['bb'] }), ['aa'])
  await assert.rejects(names({ nope: ['x'] }), /invalid filter 'nope'/)
})

test('start() makes sure of the layers first: a power loss may have taken them', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'layered')
  engine.unpacked.length = 0
  await engine.containers.start(id)
  assert.deepEqual(engine.unpacked, [engine.containers.get(id).imageId])
})
