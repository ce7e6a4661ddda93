import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { getPriority } from 'node:os'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { ContainerId } from '@berth/base'
import { controllerPath, detectCgroups, freezeCgroup } from '@berth/linux'
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

/** The runtimes that were started for an exec, or otherwise have `name` in their command line. */
function runtimesOf(name: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.map(Number).filter((pid) => commandLine(pid).includes(name))
}

const commandLine = (pid: number): string => textOfProcess(pid, 'cmdline')

function textOfProcess(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
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
  const exit = exitOf(runtime, request.containerId, request.execId)
  const { stream, started } = await runtime.execAttached(request, outputs)
  await started
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

/** The niceness in proc_pid_stat(5), after the name's closing parenthesis. */
const niceness = (stat: string): number => Number(stat.slice(stat.lastIndexOf(')')).split(' ')[17])

test('the runtime of an exec with a terminal comes before others, to set its size; the exec does not', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, ['cat', '/proc/self/stat'], terminal)
  const pid = await prepare(exec)
  const usual = getPriority()
  // The supervisor hastens it once it has been started; one that is nice itself hastens none.
  const wanted = usual === 0 ? -20 : usual
  const waiting = () => niceness(textOfProcess(pid, 'stat'))
  for (const until = performance.now() + 500; waiting() !== wanted && performance.now() < until;) await delay(1)
  assert.equal(waiting(), wanted)
  assert.equal(niceness((await run(exec)).output), usual)
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

/** The cgroups of a process in all trees (cgroups(7)), and in those of version 1; empty when it has ended. */
function cgroupsOf(pid: number | string): { all: string; version1: string } {
  const all = textOfProcess(pid, 'cgroup')
  return { all, version1: all.replace(/^0::.*\n/m, '') }
}

test('exec() runs a process in all of its container’s cgroups, and what that forks', async () => {
  const container = await sleeper()
  const { pid: first } = (await runtime.list()).find(({ containerId }) => containerId === container.containerId)!
  for (const command of ['sleep 20', 'sleep 20 & sleep 21 & (sleep 22 &) ; wait']) {
    const exec = execRequest(container.containerId, command)
    const { pid } = await runtime.exec(exec)
    assert.equal(cgroupsOf(pid).version1, cgroupsOf(first).version1)
  }
  const entered = async () => (await runtime.pids(container.containerId)).map((pid) => cgroupsOf(pid).all)
  const processes = 6
  const expected = Array.from({ length: processes }, () => cgroupsOf(first).all)
  for (const until = performance.now() + 2000; performance.now() < until; await delay(5)) {
    if (isDeepStrictEqual(await entered(), expected)) break
  }
  assert.deepEqual(await entered(), expected)
  await end(container)
})

test('a runtime that waits in the container’s cgroup is not shown as a process of the container', async () => {
  const container = await sleeper()
  const exec = execRequest(container.containerId, 'true')
  const runtimePid = await prepare(exec)
  const shown = await runtime.pids(container.containerId)
  assert.equal(shown.length, 1)
  assert.ok(!shown.includes(runtimePid))
  assert.equal((await run(exec)).exitCode, 0)
  await end(container)
})

test('the runtime of an exec stays out of a cgroup with limits', async () => {
  const container = await sleeper()
  const exec = { ...execRequest(container.containerId, 'cat /proc/self/cgroup'), isUnlimited: false }
  const runtimePid = await prepare(exec)
  assert.equal(cgroupsOf(runtimePid).version1, cgroupsOf('self').version1)
  const { output } = await run(exec)
  assert.ok(output.includes(container.containerId))
  await end(container)
})

test('execs one after the other have a runtime ready before they come, which ends when none comes', async () => {
  const container = await sleeper()
  const spares = () => runtimesOf(`${container.containerId}/spare-`)
  for (let round = 0; round < 3; round++) {
    const exec = execRequest(container.containerId, `echo ${round}`)
    runtime.prepareExec(exec)
    assert.deepEqual(await run(exec), { output: framed(1, `${round}\n`), exitCode: 0 })
  }
  while (spares().length === 0) await delay(1)
  assert.equal(spares().length, 1)
  while (spares().length > 0) await delay(20)
  await end(container)
  assert.deepEqual(fixture.leftovers(), nothingLeft)
})

test('release() ends what is in the cgroup of an ended container, frozen or not', async () => {
  const { containerId, exit } = await sleeper()
  const [first] = await runtime.pids(containerId)
  const cgroupsPath = cgroupsOf(first!).all.match(/^0::(.*)$/m)![1]!
  await runtime.kill({ containerId }, 9)
  await exit
  const trees = detectCgroups()
  const cgroup = controllerPath(trees, 'freezer', cgroupsPath) ?? `${trees.unified}${cgroupsPath}`
  const late = spawn('sh', ['-c', `echo 0 >${cgroup}/cgroup.procs && echo in && exec sleep 100`], { stdio: 'pipe' })
  const ended = once(late, 'exit')
  await once(late.stdout, 'data')
  await freezeCgroup(trees, cgroupsPath)
  await runtime.release(containerId)
  assert.deepEqual(await ended, [null, 'SIGKILL'])
})
