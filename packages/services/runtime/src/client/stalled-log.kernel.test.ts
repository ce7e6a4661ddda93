import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from '@berth/base'
import type { Runtime } from '../runtime.ts'
import { endAll, execRequest, exitOf, nothingLeft, readLog, runtimeFixture, textOf } from './kernel-fixture.ts'

const fixture = runtimeFixture()
const runtime: Runtime = await fixture.open()
after(async () => {
  await endAll(runtime)
  await runtime[Symbol.asyncDispose]()
  assert.deepEqual(fixture.leftovers(), nothingLeft)
  fixture.dispose()
})

/** A container whose log file takes 64 KiB and then nothing: a FIFO that nobody reads, as a disk that stalls. */
function withStalledLog(command: string) {
  const request = fixture.request(command)
  const log = fixture.jsonLog(request.containerId)
  mkdirSync(dirname(log.path), { recursive: true })
  execFileSync('mkfifo', [log.path])
  const fd = openSync(log.path, constants.O_RDWR | constants.O_NONBLOCK)
  return { request: { ...request, log }, fd }
}

/** Reads the FIFO until `exit` is told and it is empty: the disk goes on. */
async function readAll(fd: number, exit: Promise<unknown>): Promise<string> {
  let hasExited = false
  void exit.then(() => (hasExited = true))
  const chunks: Buffer[] = []
  const block = Buffer.alloc(64 * 1024)
  for (;;) {
    try {
      const last = hasExited
      const length = readSync(fd, block)
      chunks.push(Buffer.from(block.subarray(0, length)))
      if (last && length === 0) break
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      if (hasExited) break
      await delay(1)
    }
  }
  return Buffer.concat(chunks).toString()
}

test('a log whose disk stalls holds up its own container, and nobody else', async () => {
  const stalled = withStalledLog('seq 1 100000; echo end')
  const stalledExit = exitOf(runtime, stalled.request.containerId)
  await runtime.start(stalled.request)
  const other = fixture.request('seq 1 100000')
  const log = fixture.jsonLog(other.containerId)
  const otherExit = exitOf(runtime, other.containerId)
  await runtime.start({ ...other, log })
  assert.equal((await otherExit).exitCode, 0)
  assert.equal(readLog(log).split('\n').length, 100_001)
  const exec = execRequest(stalled.request.containerId, 'echo hello')
  const stream = await runtime.attach(exec, { stdin: false, stdout: true, stderr: true })
  await runtime.exec(exec)
  assert.match(await textOf(stream), /hello/)
  const text = await readAll(stalled.fd, stalledExit)
  closeSync(stalled.fd)
  assert.equal((await stalledExit).exitCode, 0)
  const lines = text.trim().split('\n')
  const messages = lines.map((line) => (JSON.parse(line) as { log: string }).log)
  assert.deepEqual([messages.length, messages[0], messages.at(-1)], [100_001, '1\n', 'end\n'])
  for (const { containerId } of [stalled.request, other]) await runtime.release(containerId)
})

test('the supervisor goes on while as many logs stall as it has threads', async () => {
  const stalled = Array.from({ length: 8 }, () => withStalledLog('seq 1 100000'))
  const exits = stalled.map(({ request }) => exitOf(runtime, request.containerId))
  for (const { request } of stalled) await runtime.start(request)
  const other = fixture.request('exit 3')
  const otherExit = exitOf(runtime, other.containerId)
  await runtime.start(other)
  assert.equal((await otherExit).exitCode, 3)
  await Promise.all(stalled.map(({ fd }, n) => readAll(fd, exits[n]!)))
  for (const { fd, request } of stalled) {
    closeSync(fd)
    await runtime.release(request.containerId)
  }
  await runtime.release(other.containerId)
})
