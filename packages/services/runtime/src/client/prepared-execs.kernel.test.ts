import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ContainerId, ExecId } from '@berth/base'
import type { ExecRequest, ExitReport, Runtime } from '../runtime.ts'
import { endAll, execRequest, exitOf, framed, nothingLeft, runtimeFixture, textOf } from './kernel-fixture.ts'

const fixture = runtimeFixture()
const runtime: Runtime = await fixture.open()
after(async () => {
  await endAll(runtime)
  await runtime[Symbol.asyncDispose]()
  assert.deepEqual(fixture.leftovers(), nothingLeft)
  fixture.dispose()
})

const outputs = { stdin: false, stdout: true, stderr: true }
const terminal = { tty: true, openStdin: true, stdinOnce: false, consoleSize: { rows: 30, columns: 90 } }

/** A container that runs until it is killed, and its exit. */
async function sleeper(): Promise<{ containerId: ContainerId; exit: Promise<ExitReport> }> {
  const request = fixture.request(['sleep', '100'])
  const { containerId } = request
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  return { containerId, exit }
}

/** The runtimes that were started for an exec. */
function runtimesOf(execId: ExecId): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => commandLine(pid).includes(execId))
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1')
  } catch {
    return ''
  }
}

/** Prepares an exec; resolves with the runtime that waits for it. */
async function prepare(request: ExecRequest): Promise<number> {
  runtime.prepareExec(request)
  for (;;) {
    const [pid] = runtimesOf(request.execId)
    if (pid !== undefined) return pid
    await delay(1)
  }
}

async function run(request: ExecRequest): Promise<{ output: string; exitCode: number }> {
  const stream = await runtime.attach(request, outputs)
  const exit = exitOf(runtime, request.containerId, request.execId)
  await runtime.exec(request)
  const output = await textOf(stream)
  const { exitCode } = await exit
  await runtime.releaseExec(request.containerId, request.execId)
  return { output, exitCode }
}

async function end({ containerId, exit }: Awaited<ReturnType<typeof sleeper>>): Promise<void> {
  await runtime.kill({ containerId }, 9)
  await exit
  await runtime.release(containerId)
}

test('prepareExec() starts a runtime that the exec then goes on with', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'echo hello; ls /proc/self/fd >&2; exit 4')
  await prepare(exec)
  assert.deepEqual(await run(exec), { output: framed(1, 'hello\n') + framed(2, '0\n1\n2\n3\n'), exitCode: 4 })
  assert.deepEqual(runtimesOf(exec.execId), [])
  await end(container)
})

test('prepareExec() is no promise: its runtime may be gone, and the exec works all the same', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'echo hello')
  process.kill(await prepare(exec), 'SIGKILL')
  while (runtimesOf(exec.execId).length > 0) await delay(1)
  assert.deepEqual(await run(exec), { output: framed(1, 'hello\n'), exitCode: 0 })
  await end(container)
})

test('prepareExec() for a terminal keeps its size and its socket for the exec', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'until [ -n "$(stty size 2>&-)" ]; do :; done; stty size', terminal)
  await prepare({ ...exec, io: { ...terminal, consoleSize: undefined } })
  assert.equal((await run(exec)).output, '30 90\r\n')
  await end(container)
})

test('prepareExec() gives up after a second, and leaves nothing', async () => {
  const container = await sleeper()
  const execs = [execRequest(container.containerId, 'true'), execRequest(container.containerId, 'true', terminal)]
  for (const exec of execs) await prepare(exec)
  const waiting = () => execs.flatMap(({ execId }) => runtimesOf(execId)).length
  assert.equal(waiting(), 2)
  while (waiting() > 0) await delay(20)
  assert.equal((await run(execs[0]!)).exitCode, 0)
  await end(container)
  assert.deepEqual(fixture.leftovers(), nothingLeft)
})

test('prepareExec() holds no container up, and nothing that waits survives it', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'true')
  const pid = await prepare(exec)
  await end(container)
  while (commandLine(pid) !== '') await delay(1)
  await assert.rejects(runtime.exec(exec), { kind: 'conflict' })
  runtime.prepareExec(exec)
  assert.deepEqual(fixture.leftovers(), nothingLeft)
})

test('prepareExec() lets a bounded number of runtimes wait', async () => {
  const container = await sleeper()
  const execs = Array.from({ length: 40 }, () => execRequest(container.containerId, 'true'))
  for (const exec of execs) runtime.prepareExec(exec)
  await runtime.list()
  assert.ok(execs.flatMap(({ execId }) => runtimesOf(execId)).length <= 16)
  const results = await Promise.all(execs.map(run))
  assert.deepEqual(new Set(results.map(({ exitCode }) => exitCode)), new Set([0]))
  await end(container)
})

test('exec() takes a process that is too long for a pipe', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'echo ${#LONG}')
  const process = { ...exec.process, env: [...(exec.process.env ?? []), `LONG=${'x'.repeat(100_000)}`] }
  await prepare(exec)
  assert.deepEqual(await run({ ...exec, process }), { output: framed(1, '100000\n'), exitCode: 0 })
  await end(container)
})
