import { isKind, newContainerId, nowText } from '@berth/base'
import { decodeContainerCreate, newestVersion } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Containers } from './containers.ts'
import { openForTest } from './testing/open-for-test.ts'

async function create(containers: Containers, name: string, hostConfig: object = {}) {
  const request = decodeContainerCreate({ Image: 'busybox', HostConfig: hostConfig }, newestVersion)
  return (await containers.create({ ...request, name })).id
}

const onFailure = { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 2 } }

/** Detached restarts run under a lock and without timers. */
async function settled(): Promise<void> {
  for (let i = 0; i < 20; i++) await turn()
}

test('reconcile() restarts at once what was waiting for its last restart', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'again', {
    RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 1 },
  })
  await engine.containers.start(id)
  engine.runtime.end(id, 3)
  await settled()
  assert.equal(engine.containers.get(id).state.status, 'restarting')
  await assert.rejects(engine.containers.start(id), (error) => isKind(error, 'notModified'))
  const second = await engine.reopen()
  await second.reconcile()
  await settled()
  assert.deepEqual([second.get(id).state.status, second.get(id).restartCount], ['running', 1])
  await engine.containers[Symbol.asyncDispose]()
  await second[Symbol.asyncDispose]()
})

test('reconcile() leaves the back-off of an exit that it has just taken in to its timer', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  using engine = await openForTest()
  const id = await create(engine.containers, 'again', onFailure)
  await engine.containers.start(id)
  await engine.containers[Symbol.asyncDispose]()
  engine.runtime.end(id, 3, { silently: true })
  const second = await engine.reopen()
  await second.reconcile()
  await settled()
  assert.deepEqual([second.get(id).state.status, second.get(id).restartCount], ['restarting', 1])
  context.mock.timers.tick(100)
  await settled()
  assert.deepEqual([second.get(id).state.status, second.get(id).restartCount], ['running', 1])
  await second[Symbol.asyncDispose]()
})

test('reconcile() adopts what was started but not recorded as a start of its own', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'one', { RestartPolicy: { Name: 'unless-stopped' } })
  await engine.containers.start(id)
  await engine.containers.stop(id, {})
  await engine.containers[Symbol.asyncDispose]()
  engine.runtime.live.set(id, { pid: 77, startedAt: nowText() })
  const second = await engine.reopen()
  await second.reconcile()
  const { state, stoppedByUser } = second.get(id)
  assert.deepEqual([state.status, state.pid, state.exitCode, stoppedByUser], ['running', 77, 0, false])
  await second[Symbol.asyncDispose]()
})

test('an exit that is reported while reconcile() adopts is taken in after it', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'brief')
  await engine.containers[Symbol.asyncDispose]()
  engine.runtime.live.set(id, { pid: 77, startedAt: nowText() })
  engine.runtime.listed = () => engine.runtime.end(id, 5)
  const second = await engine.reopen()
  await second.reconcile()
  await settled()
  assert.deepEqual([second.get(id).state.status, second.get(id).state.exitCode], ['exited', 5])
  assert.equal(engine.runtime.unacknowledged.size, 0)
  await second[Symbol.asyncDispose]()
})

test('an exit that is reported before reconcile() is taken in after it, of a start that was not recorded too', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'brief')
  await engine.containers[Symbol.asyncDispose]()
  engine.runtime.live.set(id, { pid: 77, startedAt: nowText() })
  const second = await engine.reopen()
  engine.runtime.end(id, 5)
  await settled()
  await second.reconcile()
  await settled()
  assert.deepEqual([second.get(id).state.status, second.get(id).state.exitCode], ['exited', 5])
  assert.equal(engine.runtime.unacknowledged.size, 0)
  await second[Symbol.asyncDispose]()
})

test('reconcile() gives back a run whose exit was recorded but not released', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'brief', { AutoRemove: true })
  await engine.containers.start(id)
  await engine.containers[Symbol.asyncDispose]()
  engine.database.prepare(`UPDATE containers SET state = json_set(state, '$.state.status', 'exited')`).run()
  engine.runtime.end(id, 0, { silently: true })
  const second = await engine.reopen()
  await second.reconcile()
  assert.throws(() => second.get(id), /No such container/)
  assert.deepEqual([engine.runtime.unacknowledged.size, engine.mounted.size, engine.attached.size], [0, 0, 0])
  await second[Symbol.asyncDispose]()
})

test('reconcile() sweeps snapshots and directories that belong to no container, and no others', async () => {
  using engine = await openForTest()
  const kept = await create(engine.containers, 'kept')
  const [snapshot, directory] = [newContainerId(), newContainerId()]
  engine.prepared.add(snapshot)
  engine.prepared.add('something of a build')
  mkdirSync(join(engine.directory, directory))
  const second = await engine.reopen()
  await second.reconcile()
  assert.deepEqual([...engine.prepared].toSorted(), [kept, 'something of a build'].toSorted())
  assert.deepEqual(
    [existsSync(join(engine.directory, directory)), existsSync(join(engine.directory, kept))],
    [false, true],
  )
})

test('reconcile() leaves a container alone whose record it cannot read, and its name taken', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'strange')
  await engine.containers.start(id)
  await engine.containers[Symbol.asyncDispose]()
  engine.database.prepare(`UPDATE containers SET state = '{'`).run()
  const second = await engine.reopen()
  await second.reconcile()
  assert.deepEqual([engine.runtime.live.has(id), engine.prepared.has(id)], [true, true])
  await assert.rejects(create(second, 'strange'), (error) => isKind(error, 'conflict'))
  await second[Symbol.asyncDispose]()
})

test('a state that cannot be written holds in memory, and is written once it can be', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  using engine = await openForTest()
  const { containers, runtime, database } = engine
  const id = await create(containers, 'one')
  await containers.start(id)
  database.exec(`CREATE TRIGGER full BEFORE UPDATE ON containers BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
  const exit = containers.wait(id, 'next-exit', new AbortController().signal).result
  runtime.end(id, 3)
  assert.deepEqual(await exit, { exitCode: 3 })
  const stored = () => JSON.parse(String(database.prepare('SELECT state FROM containers').get()?.['state']))
  assert.deepEqual([containers.get(id).state.status, stored().state.status], ['exited', 'running'])
  database.exec('DROP TRIGGER full')
  context.mock.timers.tick(1000)
  assert.equal(stored().state.status, 'exited')
})
