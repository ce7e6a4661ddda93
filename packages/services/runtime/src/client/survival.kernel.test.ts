import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openRuntime } from './open-runtime.ts'
import { readLogs } from '../logs/read-logs.ts'
import type { Runtime, StartRequest } from '../runtime.ts'
import { endAll, execRequest, exitOf, framed, nothingLeft, readLog, runtimeFixture, textOf } from './kernel-fixture.ts'

const stallMs = 400
const fixture = runtimeFixture(['--stall-ms', String(stallMs)])
after(() => {
  assert.deepEqual(fixture.leftovers(), nothingLeft)
  fixture.dispose()
})

const input = { tty: false, openStdin: true, stdinOnce: true }

async function withRuntime(work: (runtime: Runtime) => Promise<void>, { open } = fixture): Promise<void> {
  const runtime = await open()
  try {
    await work(runtime)
  } finally {
    await endAll(runtime)
    await runtime[Symbol.asyncDispose]()
  }
}

/** Starts containers from another process, which is then killed without warning. */
async function startedByTheDead(requests: StartRequest[]): Promise<void> {
  const child = fork(join(import.meta.dirname, 'kernel-client.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const options = { ...fixture.options, logger: undefined }
  child.send({ options, requests })
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
}

test('list() tells a new client everything that happened after the old one was killed', async () => {
  const count = fixture.request('i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); sleep 0.001; done; exit 3')
  const waits = fixture.request('cat; exit 4', { io: input })
  const log = fixture.jsonLog(count.containerId)
  await startedByTheDead([{ ...count, log }, waits])
  await withRuntime(async (runtime) => {
    const exit = (await runtime.list()).find(({ containerId }) => containerId === count.containerId)?.exit
    const report = exit ?? (await exitOf(runtime, count.containerId))
    assert.equal(report.exitCode, 3)
    const lines = readLog(log)
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { log: string }).log)
    assert.deepEqual(
      lines,
      Array.from({ length: 200 }, (_, n) => `line ${n}\n`),
    )

    const undisturbed = (await runtime.list()).find(({ containerId }) => containerId === waits.containerId)
    assert.equal(undisturbed?.exit, undefined)
    const end = exitOf(runtime, waits.containerId)
    const stream = await runtime.attach(waits, { stdin: true, stdout: true, stderr: true })
    stream.end()
    assert.equal((await end).exitCode, 4)
    stream.destroy()
  })
})

test('openRuntime() replaces a supervisor of another program unless it has containers', async () => {
  const script = join(fixture.directory, 'other.ts')
  writeFileSync(script, `import ${JSON.stringify(fixture.options.supervisor.script)}\n`)
  const others = { ...fixture, open: () => openRuntime({ ...fixture.options, supervisor: { script } }) }
  await startedByTheDead([fixture.request(['sleep', '100'])])
  const old = await lastReady()
  await withRuntime(async (runtime) => {
    assert.equal((await runtime.list()).length, 1)
    assert.deepEqual(await lastReady(), old, 'kept while a container runs')
  }, others)

  await startedByTheDead([])
  const idle = await lastReady()
  await withRuntime(async (runtime) => {
    const replaced = await lastReady()
    assert.match(replaced.build, /other\.ts/)
    assert.equal(replaced.pid, idle.pid)
    const request = fixture.request(['true'])
    const exit = exitOf(runtime, request.containerId)
    await runtime.start(request)
    assert.equal((await exit).exitCode, 0)
  }, others)
})

/** What the supervisor logged when it was ready. */
async function lastReady(): Promise<{ readonly pid: number; readonly build: string }> {
  const log = await readFile(join(fixture.options.runRoot, 'supervisor.log'), 'utf8')
  return JSON.parse(log.trimEnd().split('\n').at(-1) ?? '') as { pid: number; build: string }
}

test('onSupervisorLost() is told when the supervisor dies, and its containers are ended', async () => {
  await withRuntime(async (runtime) => {
    const request = fixture.request('while :; do echo x; sleep 0.01; done')
    await runtime.start(request)
    const lost = new Promise<void>((resolve) => runtime.onSupervisorLost(resolve))
    process.kill((await lastReady()).pid, 'SIGKILL')
    await lost
    assert.deepEqual(await runtime.list(), [])
    assert.deepEqual(fixture.leftovers(), nothingLeft)
    const next = fixture.request(['true'])
    const exit = exitOf(runtime, next.containerId)
    await runtime.start(next)
    assert.equal((await exit).exitCode, 0)
  })
})

test('a client that does not read is cut off, and the container and the others go on', async () => {
  await withRuntime(async (runtime) => {
    const request = fixture.request('head -c 8m /dev/zero; echo end >&2', {})
    const { containerId } = request
    const options = { stdin: false, stdout: true, stderr: true }
    const stalled = await runtime.attach({ containerId }, options)
    const reading = await runtime.attach({ containerId }, options)
    let bytes = 0
    reading.on('data', (chunk: Buffer) => (bytes += chunk.length))
    const exit = exitOf(runtime, containerId)
    const started = performance.now()
    await runtime.start(request)
    assert.equal((await exit).exitCode, 0)
    assert.ok(performance.now() - started > stallMs, 'the container waited for the client')
    await once(reading, 'end')
    assert.ok(bytes > 8 << 20)
    stalled.destroy()
  })
})

test('readLogs() follows a container across rotations and loses nothing', async () => {
  await withRuntime(async (runtime) => {
    const request = fixture.request('seq 1 20000')
    const { containerId } = request
    const log = fixture.jsonLog(containerId, { maxSizeBytes: 100_000, maxFiles: 100, compress: true })
    const exit = exitOf(runtime, containerId)
    await runtime.start({ ...request, log })
    const query = { stdout: true, stderr: true, timestamps: false, details: false, raw: true }
    const follow = { signal: new AbortController().signal, ended: exit.then(() => {}) }
    let text = ''
    for await (const chunk of readLogs(log, query, follow)) text += chunk.toString()
    assert.equal(text, Array.from({ length: 20000 }, (_, n) => `${n + 1}\n`).join(''))
  })
})

test('an exec runs under a supervisor that is older than one message for attach and start, and than notices', async () => {
  const script = join(fixture.directory, 'older.ts')
  const patch = `const { stringify } = JSON
const newer = ['servesWithAttach', 'takesNotices']
JSON.stringify = (value) => stringify(value, (key, field) => (newer.includes(key) ? undefined : field))
await import(${JSON.stringify(fixture.options.supervisor.script)})
`
  writeFileSync(script, patch)
  const open = () => openRuntime({ ...fixture.options, supervisor: { ...fixture.options.supervisor, script } })
  await withRuntime(
    async (runtime) => {
      const request = fixture.request(['sleep', '100'])
      const { containerId } = request
      await runtime.start(request)
      const exec = execRequest(containerId, 'echo hello; exit 3')
      const exit = exitOf(runtime, containerId, exec.execId)
      runtime.prepareExec(exec)
      const { stream, started } = await runtime.execAttached(exec, { stdin: false, stdout: true, stderr: true })
      assert.ok((await started).pid > 1)
      assert.equal(await textOf(stream), framed(1, 'hello\n'))
      assert.equal((await exit).exitCode, 3)
      await runtime.releaseExec(containerId, exec.execId)
      assert.deepEqual((await runtime.list())[0]?.execs, [])
    },
    { ...fixture, open },
  )
})

test('an exec ends with its container, and its report is kept until it is released', async () => {
  await withRuntime(async (runtime) => {
    const request = fixture.request(['sleep', '100'])
    const { containerId } = request
    await runtime.start(request)
    const exec = execRequest(containerId, ['sleep', '100'])
    await runtime.exec(exec)
    const exits = [exitOf(runtime, containerId), exitOf(runtime, containerId, exec.execId)]
    await runtime.kill({ containerId }, 9)
    assert.deepEqual(
      (await Promise.all(exits)).map(({ exitCode }) => exitCode),
      [137, 137],
    )
    const [listed] = await runtime.list()
    assert.equal(listed?.execs[0]?.exit?.exitCode, 137)
  })
})
