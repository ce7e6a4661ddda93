import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'
import { command, useEngine } from '@berth/testing'
import { ApiError, EngineClient, parseHost, ReadinessError } from '../../packages/system/engine-client/src/index.ts'

const engine = useEngine()
/** Made when it is needed: the engine starts with the first test. */
function open(): EngineClient {
  return new EngineClient({ endpoint: parseHost(engine.host) })
}

async function runExample(name: string): Promise<string> {
  const file = fileURLToPath(new URL(`../../examples/${name}.ts`, import.meta.url))
  const env = { BERTH_HOST: engine.host }
  // In the engine's network, where its ports are published.
  const { code, stdout, stderr } = await inside([process.execPath, '--no-warnings', file], env)
  assert.equal(code, 0, stderr)
  return stdout
}

function inside(argv: readonly string[], env: Record<string, string>): ReturnType<typeof command> {
  const entered = engine.daemon?.sandbox.enter(['env', ...Object.entries(env).map((pair) => pair.join('=')), ...argv])
  return entered === undefined ? command(argv[0] ?? '', argv.slice(1), { env }) : command(entered.file, entered.args)
}

const examples: [name: string, printed: RegExp][] = [
  ['run-and-remove', /^hello\n/],
  ['follow-logs', /^stdout: line 1\nstdout: line 2\nstdout: line 3\n$/],
  ['exec', /^3: hello from inside\n404: No such container: no-such-container\n$/],
  ['watch-events', /create .*start .*die .*destroy\n$/],
  ['stats', /^(limit 67108864, processes \d+\n){2}$/],
]

for (const [name, printed] of examples) {
  test(`the example ${name} does what it says, and leaves nothing behind`, async () => {
    assert.match(await runExample(name), printed)
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
