import assert from 'node:assert/strict'
import { test } from 'node:test'
import { useEngine } from '@berth/testing'
import { ApiError, EngineClient, parseHost, ReadinessError } from '../../packages/system/engine-client/src/index.ts'
import { exampleFile, examples, runInside } from './sdk-examples.ts'

const engine = useEngine()
/** Made when it is needed: the engine starts with the first test. */
function open(): EngineClient {
  return new EngineClient({ endpoint: parseHost(engine.host) })
}

for (const [name, printed] of examples) {
  test(`the example ${name} does what it says, and leaves nothing behind`, async () => {
    const said = await runInside(engine, [process.execPath, '--no-warnings', exampleFile(name)])
    assert.match(said, printed)
    assert.deepEqual(await open().containers.list({ all: true }), [])
  })
}

test('run() refuses what ends before it is ready, with its last words, and removes it', async () => {
  const failing = open().run('busybox', { command: ['sh', '-c', 'echo oops; exit 3'], ready: { log: /never/ } })
  await assert.rejects(failing, (error) => {
    assert.ok(error instanceof ReadinessError)
    assert.match(error.message, /ended (with exit code 3 )?before it/)
    assert.equal(error.output, 'oops')
    return true
  })
  assert.deepEqual(await open().containers.list({ all: true }), [])
})

test('run() gives up after its time, or when it is aborted', async () => {
  const silent = { command: ['sleep', '600'], ready: { log: /never/, timeoutMs: 300 } }
  await assert.rejects(open().run('busybox', silent), /was not ready after 300 ms/)
  const signal = AbortSignal.timeout(300)
  await assert.rejects(open().run('busybox', { command: ['sleep', '600'], ready: { log: /never/ }, signal }), {
    name: 'TimeoutError',
  })
  assert.deepEqual(await open().containers.list({ all: true }), [])
})

test('withSignal() ends a call that waits, with the reason', async () => {
  await using box = await open().run('busybox', { command: ['sleep', '600'] })
  const reason = new Error('enough')
  const controller = new AbortController()
  const waiting = open().withSignal(controller.signal).containers.wait(box.id)
  setTimeout(() => controller.abort(reason), 50)
  await assert.rejects(
    waiting.then(({ result }) => result),
    reason,
  )
  await assert.rejects(open().containers.inspect('nosuch'), ApiError)
})

test('run() passes on its options', async () => {
  await using box = await open().run('busybox', {
    command: ['sh', '-c', 'echo "$A $(pwd) $(id -u)"; sleep 600'],
    name: engine.name(),
    env: { A: 'x' },
    user: '1',
    workdir: '/tmp',
    labels: { l: '1' },
    memoryBytes: 32 * 2 ** 20,
    ports: { 80: 0 },
    ready: { log: /^x \/tmp 1$/ },
  })
  const { Config, HostConfig } = await box.inspect()
  assert.deepEqual([Config.Labels['l'], HostConfig.Memory], ['1', 32 * 2 ** 20])
  assert.ok((await box.port(80)).port > 0)
  await assert.rejects(box.port(81), /does not publish port 81\/tcp/)
})
