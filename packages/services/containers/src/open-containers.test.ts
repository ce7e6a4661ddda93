import { type ContainerId, isKind } from '@berth/base'
import { decodeContainerCreate, newestVersion } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Containers } from './containers.ts'
import { openForTest } from './testing/open-for-test.ts'

const until = new AbortController().signal

const plainExec = {
  user: '',
  privileged: false,
  tty: false,
  attachStdin: false,
  attachStdout: true,
  attachStderr: true,
  detachKeys: '',
  env: [],
  workingDir: '',
  cmd: ['true'],
}

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

/** A container whose start goes on until it is let go. */
async function beingStarted({ containers, runtime }: Awaited<ReturnType<typeof openForTest>>) {
  const id = await create(containers, 'starting')
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
  runtime.beforeStart = () => held
  const started = containers.start(id)
  await delay(10)
  return { id, started, letGo }
}

for (const how of ['stop', 'kill', 'restart'] as const) {
  test(`${how}() of a container that is being started waits for its process`, async () => {
    using engine = await openForTest()
    const { containers, runtime } = engine
    const { id, started, letGo } = await beingStarted(engine)
    const asked = how === 'kill' ? containers.kill(id, '') : containers[how](id, {})
    letGo()
    await Promise.all([started, asked])
    assert.equal(containers.get(id).state.status, how === 'restart' ? 'running' : 'exited')
    assert.equal(runtime.calls.filter((call) => call === 'start').length, how === 'restart' ? 2 : 1)
  })
}

test('createExec() and wait() find a container that is being started running', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const { id, started, letGo } = await beingStarted(engine)
  const exec = containers.createExec(id, plainExec)
  const { result } = await containers.wait(id, 'not-running', until)
  letGo()
  await started
  assert.equal(containers.getExec(await exec).containerId, id)
  runtime.end(id, 3)
  assert.equal((await result).exitCode, 3)
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
  assert.deepEqual(await names({ isolation: ['hyperv'] }), ['bb', 'aa'])
})

test('list() finds one container by the beginning of its id, and none where several begin so', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const ids = await Promise.all(Array.from({ length: 17 }, (_, i) => create(containers, `c${i}`)))
  const found = async (...id: string[]) =>
    (await containers.list({ all: true, size: false, filters: { id } })).map((container) => container.id)
  const shared = ids.find((id) => ids.filter((other) => other[0] === id[0]).length > 1)
  assert.ok(shared)
  assert.deepEqual(await found(shared.slice(0, 1)), [])
  assert.deepEqual(await found(shared.slice(0, 20)), [shared])
  assert.deepEqual(await found(shared.slice(1, 20)), [])
  assert.deepEqual(await found('nosuch', shared), [shared])
  assert.deepEqual(await found(''), [])
})

test('list() refuses an exit code that is none, whoever else is listed', async () => {
  using engine = await openForTest()
  const listed = (exited: string) => engine.containers.list({ all: true, size: false, filters: { exited: [exited] } })
  await assert.rejects(listed('x'), {
    message: `invalid filter 'exited=x': strconv.Atoi: parsing "x": invalid syntax`,
  })
  await assert.rejects(listed('9223372036854775808'), {
    message: `invalid filter 'exited=9223372036854775808': strconv.Atoi: parsing "9223372036854775808": value out of range`,
  })
  assert.deepEqual(await listed('-1'), [])
})

test('list() does not count a container as exited that is to be restarted', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'again', { RestartPolicy: { Name: 'always' } })
  await containers.start(id)
  const exited = containers.wait(id, 'next-exit', until).result
  runtime.end(id, 3)
  await exited
  assert.equal(containers.get(id).state.status, 'restarting')
  assert.deepEqual(await containers.list({ all: true, size: false, filters: { exited: ['3'] } }), [])
  await containers.stop(id, {})
})

test('start() makes sure of the layers first: a power loss may have taken them', async () => {
  using engine = await openForTest()
  const id = await create(engine.containers, 'layered')
  engine.unpacked.length = 0
  await engine.containers.start(id)
  assert.deepEqual(engine.unpacked, [engine.containers.get(id).imageId])
})

test('kill() and stop() name what a refused signal was for', async () => {
  using engine = await openForTest()
  const { containers } = engine
  await create(containers, 'named')
  await containers.start('named')
  await assert.rejects(containers.kill('named', 'SIG42'), {
    message: 'cannot kill container: named: invalid signal: SIG42',
  })
  await assert.rejects(containers.kill('nosuch', ''), {
    kind: 'notFound',
    message: 'cannot kill container: nosuch: No such container: nosuch',
  })
  await assert.rejects(containers.stop('named', { signal: 'foo' }), {
    message: 'cannot stop container: named: invalid signal: foo',
  })
  await assert.rejects(containers.restart('named', { signal: 'foo' }), {
    message: 'Cannot restart container named: invalid signal: foo',
  })
})

test('kill() with the stop signal unpauses a container that survives it', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  runtime.deadly = new Set([9])
  const id = await create(containers, 'frozen')
  await containers.start(id)
  await containers.pause(id)
  await containers.kill(id, 'HUP')
  assert.equal(containers.get(id).state.status, 'paused')
  await containers.kill(id, 'TERM')
  assert.equal(containers.get(id).state.status, 'running')
})

test('kill() ends a restart that is pending, and only by a signal that ends', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'undead', { RestartPolicy: { Name: 'always' } })
  await containers.start(id)
  const exited = containers.wait(id, 'next-exit', until).result
  runtime.end(id, 4)
  await exited
  await containers.kill(id, 'HUP')
  assert.equal(containers.get(id).state.status, 'restarting')
  await containers.kill(id, '')
  const { status, exitCode } = containers.get(id).state
  assert.deepEqual([status, exitCode], ['exited', 4])
})

test('a failed start() leaves those who wait for the next exit waiting', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  runtime.startError = new Error('the runtime said no')
  const id = await create(containers, 'awaited')
  const exited = containers.wait(id, 'next-exit', until).result
  await assert.rejects(containers.start(id))
  runtime.startError = undefined
  await containers.start(id)
  runtime.end(id, 5)
  assert.deepEqual(await exited, { exitCode: 5 })
})

test('start() refuses the network of a container that does not run', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const host = await create(containers, 'host')
  await create(containers, 'guest', { NetworkMode: 'container:host' })
  await assert.rejects(containers.start('guest'), {
    kind: 'conflict',
    message: 'cannot join network namespace of a non running container: container host is created',
  })
  await containers.remove(host, { force: false, volumes: false, link: false })
  await assert.rejects(containers.start('guest'), {
    kind: 'notFound',
    message: `joining network namespace of container: No such container: ${host}`,
  })
  assert.equal(containers.get('guest').state.exitCode, 128)
})

test('rename() says why a name cannot be had', async () => {
  using engine = await openForTest()
  const { containers } = engine
  await create(containers, 'first')
  await create(containers, 'second')
  await assert.rejects(
    containers.rename('first', 'second'),
    /^EngineError: Error when allocating new name: Conflict\. /,
  )
  await assert.rejects(
    containers.rename('first', '-x'),
    /Error when allocating new name: Invalid container name \(\/-x\)/,
  )
  await assert.rejects(containers.rename('first', '/first'), /same name as its current name/)
})

test('list() finds published ports by the number on the host', async () => {
  using engine = await openForTest()
  const { containers } = engine
  await create(containers, 'web', { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } })
  await containers.start('web')
  const count = async (publish: string) =>
    (await containers.list({ all: true, size: false, filters: { publish: [publish] } })).length
  assert.deepEqual(await Promise.all(['8080', '8000-9000/tcp', '80', '8080/udp'].map(count)), [1, 1, 0, 0])
  await assert.rejects(count('x'), {
    message: 'error while looking up for publish x: strconv.ParseUint: parsing "x": invalid syntax',
  })
})

test('createExec() refuses what cannot be, and an exit ends what was not started', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'host')
  await containers.start(id)
  const exec = (change: object) => containers.createExec(id, { ...plainExec, ...change })
  await assert.rejects(exec({ detachKeys: 'foo' }), { message: 'Invalid escape keys (foo) provided' })
  await assert.rejects(exec({ user: 'nosuch' }), /unable to find user nosuch/)
  const relative = await exec({ workingDir: 'x' })
  await assert.rejects(containers.startExec(relative, { detach: true, tty: false }), /Cwd must be an absolute path/)
  assert.equal(containers.getExec(relative).exitCode, 128)
  const unstarted = await exec({ detachKeys: 'ctrl-a' })
  assert.equal(containers.getExec(unstarted).escapeKeys, 'AQ==')
  const exited = containers.wait(id, 'next-exit', until).result
  runtime.end(id, 0)
  await exited
  assert.throws(() => containers.getExec(unstarted), { message: `No such exec instance: ${unstarted}` })
})

test('createExec() lets the runtime prepare what was created, and only that', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'host')
  await containers.start(id)
  await assert.rejects(containers.createExec(id, { ...plainExec, cmd: [] }))
  assert.deepEqual(runtime.prepared, [])
  const exec = await containers.createExec(id, plainExec)
  assert.deepEqual(runtime.prepared, [exec])
})

test('a paused container is unhealthy until a probe says otherwise', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const id = await create(containers, 'watched', {}, { Healthcheck: { Test: ['CMD', 'true'] } })
  await containers.start(id)
  assert.equal(containers.get(id).state.health?.status, 'starting')
  await containers.pause(id)
  assert.equal(containers.get(id).state.health?.status, 'unhealthy')
  await containers.stop(id, { timeoutSeconds: 0 })
})

test('wait() is answered after the output that clients follow has been read to its end', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const id = await create(containers, 'talker')
  const query = { logs: false, stream: true, stdin: false, stdout: true, stderr: true, detachKeys: '' }
  const { stream } = await containers.attach(id, query)
  await containers.start(id)
  const { result } = containers.wait(id, 'not-running', until)
  let isAnswered = false
  void result.then(() => (isAnswered = true))
  engine.runtime.end(id, 3)
  await delay(20)
  assert.equal(isAnswered, false)
  stream.resume()
  stream.destroy()
  assert.deepEqual(await result, { exitCode: 3 })
})

for (const condition of ['next-exit', 'removed'] as const) {
  test(`wait() for ${condition} pauses between output and answer only if it began after the start`, async (t) => {
    using engine = await openForTest()
    const { containers, runtime } = engine
    const id = await create(containers, 'brief', { AutoRemove: true })
    const query = { logs: false, stream: true, stdin: false, stdout: true, stderr: true, detachKeys: '' }
    const { stream } = await containers.attach(id, query)
    const early = containers.wait(id, condition, until).result
    await containers.start(id)
    // However long the machine takes, the answer was begun just now.
    const nowMs = performance.now()
    t.mock.method(performance, 'now', () => nowMs)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const late = containers.wait(id, condition, until).result
    const answered: string[] = []
    void early.then(() => answered.push('early'))
    void late.then(() => answered.push('late'))
    stream.destroy()
    runtime.end(id, 3)
    const deadlineMs = Date.now() + 10_000
    while (!answered.includes('early') && Date.now() < deadlineMs) await setImmediate()
    assert.deepEqual(answered, ['early'])
    t.mock.timers.tick(25)
    assert.deepEqual(await late, { exitCode: 3 })
  })
}

test('attach() without output ends with the input, and at once without either', async () => {
  using engine = await openForTest()
  const { containers } = engine
  await create(containers, 'reader', {}, { OpenStdin: true })
  await containers.start('reader')
  const query = { logs: false, stream: true, stdin: true, stdout: false, stderr: false, detachKeys: '' }
  const { stream } = await containers.attach('reader', query)
  stream.resume().end('input')
  await once(stream, 'close')
  await create(containers, 'later', {}, { OpenStdin: true })
  const early = await containers.attach('later', query)
  await once(early.stream.end('input'), 'finish')
  assert.equal(early.stream.destroyed, false)
  early.stream.destroy()
  const { stream: nothing } = await containers.attach('reader', { ...query, stdin: false })
  await once(nothing.resume(), 'end')
  await containers.pause('reader')
  await assert.rejects(containers.attach('reader', query), { message: /^container reader is paused/ })
})

test('remove() by force ends a container whose restart is under way', async () => {
  using engine = await openForTest()
  const { containers, runtime } = engine
  const id = await create(containers, 'loop', { RestartPolicy: { Name: 'always' } })
  await containers.start(id)
  const exited = containers.wait(id, 'next-exit', until).result
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  const { promise: allowed, resolve: allow } = Promise.withResolvers<void>()
  runtime.beforeStart = () => {
    begin()
    return allowed
  }
  runtime.end(id, 1)
  await exited
  assert.deepEqual([containers.get(id).state.status, containers.get(id).restartCount], ['restarting', 1])
  await begun
  const removed = containers.remove(id, { force: true, volumes: false, link: false })
  allow()
  await removed
  assert.throws(() => containers.get(id), /No such container/)
})

test('restart() keeps a container that would remove itself', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const id = await create(containers, 'kept', { AutoRemove: true })
  await containers.start(id)
  await containers.restart(id, {})
  assert.equal(containers.get(id).state.status, 'running')
  const removed = containers.wait(id, 'removed', until).result
  await containers.remove(id, { force: true, volumes: false, link: false })
  await removed
})

test('remove() takes away a container with a shareable IPC namespace that never ran', async () => {
  using engine = await openForTest()
  const { containers } = engine
  const id = await create(containers, 'donor', { IpcMode: 'shareable' })
  await containers.remove(id, { force: false, volumes: false, link: false })
  assert.throws(() => containers.get(id), /No such container/)
})
