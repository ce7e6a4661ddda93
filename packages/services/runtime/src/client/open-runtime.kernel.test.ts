import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Runtime } from '../runtime.ts'
import {
  endAll,
  execRequest,
  exitOf,
  framed,
  noInput,
  nothingLeft,
  readLog,
  readUntil,
  runtimeFixture,
  textOf,
} from './kernel-fixture.ts'

const fixture = runtimeFixture()
const runtime: Runtime = await fixture.open()
after(async () => {
  await endAll(runtime)
  await runtime[Symbol.asyncDispose]()
  assert.deepEqual(fixture.leftovers(), nothingLeft)
  fixture.dispose()
})

const outputs = { stdin: false, stdout: true, stderr: true }
const everything = { stdin: true, stdout: true, stderr: true }
const input = { tty: false, openStdin: true, stdinOnce: true }
const terminal = { tty: true, openStdin: true, stdinOnce: false, consoleSize: { rows: 30, columns: 90 } }

test('start() runs a process, tells its exit code and logs its output', async () => {
  const request = fixture.request('echo out; echo err >&2; exit 7')
  const log = fixture.jsonLog(request.containerId)
  const exit = exitOf(runtime, request.containerId)
  const started = await runtime.start({ ...request, log })
  assert.ok(started.pid > 1)
  const { exitCode, oomKilled } = await exit
  assert.deepEqual({ exitCode, oomKilled }, { exitCode: 7, oomKilled: false })
  const lines = readLog(log)
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { log: string; stream: string })
  assert.deepEqual(lines.map(({ stream, log: text }) => stream + text).toSorted(), ['stderrerr\n', 'stdoutout\n'])
  await runtime.release(request.containerId)
  assert.deepEqual(await runtime.list(), [])
})

test('start() tells 128 + n of a signal, and kill() is notFound afterwards', async () => {
  const request = fixture.request(['sleep', '100'])
  const { containerId } = request
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  assert.equal((await runtime.pids(containerId)).length, 1)
  await runtime.kill({ containerId }, 9)
  assert.equal((await exit).exitCode, 137)
  await assert.rejects(runtime.kill({ containerId }, 9), { kind: 'notFound' })
  await runtime.release(containerId)
})

test("start() refuses a missing command in Docker's words and leaves nothing", async () => {
  const request = fixture.request(['nosuch'], {})
  await assert.rejects(runtime.start({ ...request, log: fixture.jsonLog(request.containerId) }), {
    kind: 'invalid',
    message: /OCI runtime create failed: .*exec: "nosuch": executable file not found in \$PATH$/,
  })
  assert.deepEqual(fixture.leftovers(), nothingLeft)
  await assert.rejects(runtime.start(fixture.request(['/proc'])), { message: /"\/proc": permission denied$/ })
  await assert.rejects(runtime.start({ ...fixture.request(['true']), runtimeName: 'x' }), {
    message: 'unknown or invalid runtime name: x',
  })
  assert.deepEqual(fixture.leftovers(), nothingLeft)
})

test('a program that the kernel does not take ends with 255, and with runc’s words, of a start and of an exec', async () => {
  const elsewhere = Buffer.concat([Buffer.from('7f454c4602010100', 'hex'), Buffer.alloc(200)])
  writeFileSync(join(fixture.directory, 'rootfs/tmp/elsewhere'), elsewhere, { mode: 0o755 })
  for (const io of [noInput, { ...noInput, tty: true }]) {
    const request = fixture.request(['/tmp/elsewhere'], { io })
    const { containerId } = request
    const [exit, stream] = [exitOf(runtime, containerId), await runtime.attach({ containerId }, outputs)]
    await runtime.start(request)
    const told = 'exec /tmp/elsewhere: exec format error'
    assert.equal(await textOf(stream), io.tty ? `${told}\r\n` : framed(2, `${told}\n`))
    assert.equal((await exit).exitCode, 255)
    await runtime.release(containerId)
  }
  const container = fixture.request(['sleep', '100'])
  await runtime.start(container)
  const exec = execRequest(container.containerId, ['/tmp/elsewhere'])
  const [exit, stream] = [exitOf(runtime, exec.containerId, exec.execId), await runtime.attach(exec, outputs)]
  await runtime.exec(exec)
  assert.equal(await textOf(stream), framed(2, 'exec /tmp/elsewhere: exec format error\n'))
  assert.equal((await exit).exitCode, 255)
  const over = exitOf(runtime, container.containerId)
  await runtime.kill({ containerId: container.containerId }, 9)
  await over
  await runtime.release(container.containerId)
})

test('attach() before the start gets every byte, in frames, and ends after the exit was told', async () => {
  const request = fixture.request('cat; echo done >&2', { io: input })
  const { containerId } = request
  const stream = await runtime.attach({ containerId }, everything)
  stream.write('hello ')
  stream.end('world\n')
  let exited = false
  const exit = exitOf(runtime, containerId).then(() => (exited = true))
  await runtime.start(request)
  assert.equal(await textOf(stream), framed(1, 'hello world\n') + framed(2, 'done\n'))
  assert.ok(exited)
  await exit
  await runtime.release(containerId)
})

test('attach() gives each client the streams it asked for, and several clients the same', async () => {
  const request = fixture.request('read go; echo out; echo err >&2', { io: input })
  const { containerId } = request
  const all = await runtime.attach({ containerId }, everything)
  const one = await runtime.attach({ containerId }, { stdin: false, stdout: false, stderr: true })
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  all.write('\n')
  const texts = await Promise.all([textOf(all), textOf(one)])
  assert.equal(texts[0].length, framed(1, 'out\n').length + framed(2, 'err\n').length)
  assert.equal(texts[1], framed(2, 'err\n'))
  await exit
  await runtime.release(containerId)
})

test('attach(): a client that leaves without ending its input leaves stdin open', async () => {
  const request = fixture.request('read line; echo $line', { io: input })
  const { containerId } = request
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  const first = await runtime.attach({ containerId }, everything)
  first.destroy()
  await once(first, 'close')
  const second = await runtime.attach({ containerId }, everything)
  second.end('again\n')
  assert.equal(await textOf(second), framed(1, 'again\n'))
  await exit
  await runtime.release(containerId)
})

test('start() with a terminal has its size, takes resizes and raw input', async () => {
  const request = fixture.request('stty size; read line; stty size; echo "<$line>"', { io: terminal })
  const { containerId } = request
  const log = fixture.jsonLog(containerId)
  const stream = await runtime.attach({ containerId }, everything)
  const exit = exitOf(runtime, containerId)
  await runtime.start({ ...request, log })
  assert.equal(await readUntil(stream, /\n/), '30 90\r\n')
  await runtime.resize({ containerId }, { rows: 11, columns: 22 })
  stream.write('hi\n')
  assert.equal(await textOf(stream), 'hi\r\n11 22\r\n<hi>\r\n')
  assert.equal((await exit).exitCode, 0)
  assert.match(readLog(log), /^\{"log":"30 90\\r\\n","stream":"stdout","time":/)
  await runtime.release(containerId)
})

test('exec() runs another process with its own streams and exit', async () => {
  const request = fixture.request(['sleep', '100'])
  const { containerId } = request
  const initExit = exitOf(runtime, containerId)
  await runtime.start(request)
  const exec = execRequest(containerId, 'cat; exit 5', { tty: false, openStdin: true, stdinOnce: false })
  const stream = await runtime.attach(exec, everything)
  const exit = exitOf(runtime, containerId, exec.execId)
  await runtime.exec(exec)
  stream.end('to exec\n')
  assert.equal(await textOf(stream), framed(1, 'to exec\n'))
  assert.equal((await exit).exitCode, 5)
  await runtime.releaseExec(containerId, exec.execId)

  // The runtime starts an exec without waiting for its terminal's size, which follows at once.
  const withTerminal = execRequest(containerId, 'until [ -n "$(stty size 2>&-)" ]; do :; done; stty size', terminal)
  const terminalStream = await runtime.attach(withTerminal, everything)
  await runtime.exec(withTerminal)
  assert.equal(await textOf(terminalStream), '30 90\r\n')

  const missing = execRequest(containerId, ['nosuch'])
  const ended = await runtime.attach(missing, everything)
  await assert.rejects(runtime.exec(missing), {
    message:
      'OCI runtime exec failed: exec failed: unable to start container process: ' +
      'exec: "nosuch": executable file not found in $PATH',
  })
  assert.equal(await textOf(ended), '')
  await runtime.kill({ containerId }, 9)
  await initExit
  await runtime.release(containerId)
})

test('execAttached() gives a stream and then the process, or the reason why there is none', async () => {
  const request = fixture.request(['sleep', '100'])
  const { containerId } = request
  const initExit = exitOf(runtime, containerId)
  await runtime.start(request)
  const exec = execRequest(containerId, 'cat; exit 5', { tty: false, openStdin: true, stdinOnce: false })
  const exit = exitOf(runtime, containerId, exec.execId)
  const { stream, started } = await runtime.execAttached(exec, everything)
  assert.ok((await started).pid > 1)
  stream.end('to exec\n')
  assert.equal(await textOf(stream), framed(1, 'to exec\n'))
  assert.equal((await exit).exitCode, 5)
  await runtime.releaseExec(containerId, exec.execId)

  const missing = await runtime.execAttached(execRequest(containerId, ['nosuch']), everything)
  await assert.rejects(missing.started, /exec: "nosuch": executable file not found in \$PATH$/)
  assert.equal(await textOf(missing.stream), '')
  await runtime.kill({ containerId }, 9)
  await initExit
  await runtime.release(containerId)
  await assert.rejects(runtime.execAttached(execRequest(containerId, ['true']), everything), /is not running/)
})

test('start() holds each container to its seccomp profile, also by the filter that was compiled for an earlier one', async () => {
  const rule = { names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 95 }
  const outputs: string[] = []
  for (const syscalls of [[rule], [rule], []]) {
    const { spec, ...request } = fixture.request('mkdir /tmp/x 2>&1; cat /proc/self/status; true')
    const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', syscalls }
    const log = fixture.jsonLog(request.containerId)
    const exit = exitOf(runtime, request.containerId)
    await runtime.start({ ...request, spec: { ...spec, linux: { ...spec.linux, seccomp } }, log })
    await exit
    outputs.push(readLog(log))
    await runtime.release(request.containerId)
  }
  const isDenied = outputs.map((output) => output.includes('Operation not supported'))
  const isFiltered = outputs.map((output) => output.includes(String.raw`Seccomp:\u00092`))
  assert.deepEqual({ isDenied, isFiltered }, { isDenied: [true, true, false], isFiltered: [true, true, true] })
})

test('pause(), resume() and update() act on the cgroup', async () => {
  const request = fixture.request('while :; do echo tick; sleep 0.02; done')
  const { containerId } = request
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  const stream = await runtime.attach({ containerId }, everything)
  await runtime.pause(containerId)
  await runtime.update(containerId, { pids: { limit: 50 } })
  await runtime.update(containerId, { pids: { limit: -1 } })
  await runtime.resume(containerId)
  await readUntil(stream, /tick/)
  await runtime.kill({ containerId }, 9)
  await exit
  stream.destroy()
  await runtime.release(containerId)
})

test('a kill for memory is announced and told at the exit', async () => {
  const request = fixture.request('x=$(yes | tail -c 100m | cat); echo $x')
  const resources = { memory: { limit: 8 << 20 } }
  const limited = { ...request, spec: { ...request.spec, linux: { ...request.spec.linux, resources } } }
  const { containerId } = request
  const oom = new Promise((resolve) => runtime.onOom(resolve))
  const exit = exitOf(runtime, containerId)
  await runtime.start(limited)
  assert.equal(await oom, containerId)
  assert.equal((await exit).oomKilled, true)
  await runtime.release(containerId)
})

test('a process outside of a pid namespace takes what it started along', async () => {
  const request = fixture.request('setsid sleep 100 & echo started; exit 3', { io: noInput })
  const namespaces = request.spec.linux.namespaces.filter(({ type }) => type !== 'pid')
  const { containerId } = request
  const exit = exitOf(runtime, containerId)
  await runtime.start({ ...request, spec: { ...request.spec, linux: { ...request.spec.linux, namespaces } } })
  assert.equal((await exit).exitCode, 3)
  assert.deepEqual(await runtime.pids(containerId), [])
  await runtime.release(containerId)
})

test('a process that does not read its input holds up nobody', async () => {
  const deaf = fixture.request(['sleep', '100'], { io: input })
  const exit = exitOf(runtime, deaf.containerId)
  const stream = await runtime.attach(deaf, everything)
  await runtime.start(deaf)
  let sent = 0
  while (sent < 4 << 20 && stream.write(Buffer.alloc(65536))) sent += 65536
  assert.ok(sent < 4 << 20, 'the writer is told to wait')
  const other = fixture.request(['true'])
  const otherExit = exitOf(runtime, other.containerId)
  await runtime.start(other)
  assert.equal((await otherExit).exitCode, 0)
  stream.destroy()
  await runtime.kill(deaf, 9)
  await exit
  for (const { containerId } of [deaf, other]) await runtime.release(containerId)
})

test('start() runs containers under the runtime that is named', { skip: !runtime.runtimes['runc'] }, async () => {
  const request = { ...fixture.request(['sleep', '100']), runtimeName: 'runc' }
  const { containerId } = request
  await assert.rejects(runtime.start({ ...fixture.request(['nosuch']), runtimeName: 'runc' }), {
    message: /OCI runtime create failed: runc create failed: .*"nosuch": executable file not found in \$PATH$/,
  })
  const exit = exitOf(runtime, containerId)
  await runtime.start(request)
  await runtime.update(containerId, { pids: { limit: 40 } })
  const exec = execRequest(containerId, 'stty size', terminal)
  const stream = await runtime.attach(exec, everything)
  await runtime.exec(exec)
  assert.equal(await textOf(stream), '30 90\r\n')
  await runtime.kill({ containerId }, 15)
  await runtime.kill({ containerId }, 9)
  assert.equal((await exit).exitCode, 137)
  await runtime.release(containerId)
})
