import assert from 'node:assert/strict'
import { closeSync, fstatSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { after, test } from 'node:test'
import { codeOf, silentLogger } from '@berth/base'
import { killPid, listenSocket } from '@berth/linux'
import { execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { openDescriptorStore } from './open-descriptor-store.ts'

const runRoot = mkdtempSync(join(tmpdir(), 'berth-descriptors-'))
after(() => rmSync(runRoot, { recursive: true }))
const options = { runRoot, logger: silentLogger }

/** A process that only keeps descriptors. */
async function startServer(): Promise<{ readonly pid: number; stop(): Promise<void> }> {
  const child = fork(join(import.meta.dirname, '../supervisor/descriptor-server.fixture.ts'), [runRoot])
  await once(child, 'message')
  const stop = async () => {
    const exit = once(child, 'exit')
    killPid(child.pid ?? 0, 9)
    await exit
  }
  return { pid: child.pid ?? 0, stop }
}

const openSocket = (): number => listenSocket({ protocol: 'udp', address: '0.0.0.0', port: 0 }).fd
const inodeOf = (fd: number): number => fstatSync(fd).ino
const count = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 5000; !condition(); await delay(5))
    assert.ok(Date.now() < deadline, `${condition}`)
}

test('take() gives back what an earlier client put, and dropUntaken() lets go of the rest', async () => {
  const server = await startServer()
  const before = count(server.pid)
  const inodes = new Map<string, number>()
  {
    using store = await openDescriptorStore(options)
    for (let index = 0; index < 3000; index++) {
      const fd = openSocket()
      inodes.set(`socket/${index}`, inodeOf(fd))
      store.put(`socket/${index}`, fd)
      closeSync(fd) // as when the process dies
    }
    store.drop('socket/0')
    store.drop('nothing')
    await until(() => count(server.pid) >= before + 2999)
  }
  using store = await openDescriptorStore(options)
  assert.equal(store.take('socket/0'), undefined)
  for (let index = 1; index < 2000; index++) {
    const fd = store.take(`socket/${index}`)
    assert.ok(fd !== undefined && inodeOf(fd) === inodes.get(`socket/${index}`))
    closeSync(fd)
  }
  store.dropUntaken()
  await until(() => count(server.pid) <= before + 2001)
  await server.stop()
})

test('settle() resolves when the supervisor has closed all that was dropped, or is gone', async () => {
  const server = await startServer()
  using store = await openDescriptorStore(options)
  await store.settle()
  const before = count(server.pid)
  const names = Array.from({ length: 2000 }, (_, index) => `socket/${index}`)
  for (const name of names) {
    const fd = openSocket()
    store.put(name, fd)
    closeSync(fd)
  }
  for (const name of names) store.drop(name)
  await store.settle()
  assert.equal(count(server.pid), before)
  const last = store.settle()
  await server.stop()
  await last
  await store.settle()
})

const own = (): string[] => readdirSync('/proc/self/fd')
const SIGCONT = 18
const SIGSTOP = 19

test('settle() ends with its signal while the supervisor does not read, and keeps nothing open', async () => {
  const server = await startServer()
  using store = await openDescriptorStore(options)
  await store.settle()
  killPid(server.pid, SIGSTOP)
  const before = own()
  for (let round = 0; round < 3; round++) {
    await assert.rejects(store.settle(AbortSignal.timeout(20)), { name: 'TimeoutError' })
  }
  assert.deepEqual(own(), before)
  killPid(server.pid, SIGCONT)
  await store.settle(AbortSignal.timeout(5000))
  await server.stop()
})

test('settle() that gets no more descriptors says so, and keeps nothing open', async () => {
  const server = await startServer()
  using store = await openDescriptorStore(options)
  const fd = openSocket()
  // From some number of messages on they wait here until the supervisor reads: each with a copy of its descriptor.
  killPid(server.pid, SIGSTOP)
  const start = own().length
  for (let index = 0; own().length < start + 3; index++) store.put(`waits/${index}`, fd)
  const [, limit] = /Max open files +(\d+)/.exec(readFileSync('/proc/self/limits', 'latin1')) ?? []
  const highest = Math.max(...own().map(Number))
  execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${highest + 20}:`])
  const fill = openAll()
  try {
    store.put('more', fd)
    for (const left of [0, 2]) {
      for (const one of fill.splice(0, left)) closeSync(one)
      await assert.rejects(store.settle(), { code: 'EMFILE' }, `${left} left`)
      assert.equal(openAll().map((one) => closeSync(one)).length, left)
    }
  } finally {
    for (const one of fill) closeSync(one)
    execFileSync('prlimit', [`--pid=${process.pid}`, `--nofile=${limit}:`])
    killPid(server.pid, SIGCONT)
  }
  await store.settle(AbortSignal.timeout(5000))
  closeSync(fd)
  await server.stop()
})

/** All the descriptors that this process can still have. */
function openAll(): number[] {
  const opened: number[] = []
  try {
    for (;;) opened.push(openSync('/dev/null', 'r'))
  } catch (error) {
    assert.equal(codeOf(error), 'EMFILE')
    return opened
  }
}

test('put() works again with the next supervisor, which gets all that there is', async () => {
  const first = await startServer()
  using store = await openDescriptorStore(options)
  const fd = openSocket()
  store.put('kept', fd)
  await first.stop()
  const lost = openSocket()
  store.put('meanwhile', lost)
  store.put('gone', lost)
  store.drop('gone')
  const second = await startServer()
  for (const deadline = Date.now() + 5000; Date.now() < deadline; await delay(20)) {
    using other = await openDescriptorStore(options)
    const [one, two] = [other.take('kept'), other.take('meanwhile')]
    assert.equal(other.take('gone'), undefined)
    if (one === undefined || two === undefined) continue
    assert.deepEqual([inodeOf(one), inodeOf(two)], [inodeOf(fd), inodeOf(lost)])
    for (const each of [one, two, fd, lost]) closeSync(each)
    return await second.stop()
  }
  assert.fail('the second supervisor got nothing')
})

test('openDescriptorStore() without a supervisor that keeps descriptors has none, and does not fail', async () => {
  rmSync(join(runRoot, 'descriptors.sock'), { force: true })
  using store = await openDescriptorStore(options)
  assert.equal(store.take('x'), undefined)
  store.put('x', 1)
})
