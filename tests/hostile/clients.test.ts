import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadFixture, packTar, readInventory, restored, startDaemon, type TestDaemon, until } from '@berth/testing'

const rounds = Number(process.env['BERTH_CLIENT_ROUNDS'] ?? 20)

let daemon: TestDaemon
before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

async function run(name: string, script: string, config: object = {}): Promise<void> {
  const body = { Image: 'busybox', Cmd: ['sh', '-c', script], ...config }
  await daemon.api.json('POST', `/containers/create?name=${name}`, body)
  await daemon.api.json('POST', `/containers/${name}/start`)
}

/** Descriptors of berthd and of the supervisor. */
const descriptors = (): number[] =>
  [daemon.pid, ...daemon.supervisors()].map((pid) => readdirSync(`/proc/${pid}/fd`).length)

/** Proportional memory in kB (smaps_rollup of proc_pid_smaps(5)). */
const memory = (pid: number): number =>
  Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)

/** A request by hand: the connection is the caller's to break. */
async function send(head: string, body = ''): Promise<Socket> {
  const socket = connect(new URL(daemon.host).pathname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(`${head}\r\nHost: x\r\n${body}`)
  return socket
}

const upgrade = 'Connection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n'
const json = (body: object): string => {
  const text = JSON.stringify(body)
  return `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}

async function execStart(): Promise<Socket> {
  const config = { Cmd: ['sleep', '0.2'], AttachStdout: true, AttachStdin: true }
  const { Id } = (await daemon.api.json('POST', '/containers/talker/exec', config)) as { Id: string }
  return send(`POST /exec/${Id}/start HTTP/1.1`, `Connection: Upgrade\r\nUpgrade: tcp\r\n${json({ Detach: false })}`)
}

/** Every endpoint that streams, one way or the other. */
const streams: Readonly<Record<string, () => Promise<Socket>>> = {
  'logs that follow': () => send('GET /containers/talker/logs?follow=1&stdout=1 HTTP/1.1', '\r\n'),
  'logs of one that is silent': () => send('GET /containers/silent/logs?follow=1&stdout=1 HTTP/1.1', '\r\n'),
  attach: () => send('POST /containers/talker/attach?stream=1&stdout=1&stdin=1 HTTP/1.1', upgrade),
  'attach to one that is silent': () =>
    send('POST /containers/silent/attach?stream=1&stdout=1&stdin=1 HTTP/1.1', upgrade),
  'attach to one that never ran': () =>
    send('POST /containers/idle/attach?stream=1&stdout=1&stdin=1 HTTP/1.1', upgrade),
  'attach without an upgrade': () =>
    send('POST /containers/talker/attach?stream=1&stdout=1 HTTP/1.1', 'Content-Length: 0\r\n\r\n'),
  'attach by websocket': () =>
    send(
      'GET /containers/talker/attach/ws?stream=1&stdout=1&stdin=1 HTTP/1.1',
      'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    ),
  exec: execStart,
  stats: () => send('GET /containers/talker/stats HTTP/1.1', '\r\n'),
  events: () => send('GET /events HTTP/1.1', '\r\n'),
  wait: () => send('POST /containers/silent/wait HTTP/1.1', 'Content-Length: 0\r\n\r\n'),
  export: () => send('GET /containers/talker/export HTTP/1.1', '\r\n'),
  save: () => send('GET /images/busybox/get HTTP/1.1', '\r\n'),
  load: () => send('POST /images/load HTTP/1.1', 'Transfer-Encoding: chunked\r\n\r\n200\r\nbusybox'),
  import: () => send('POST /images/create?fromSrc=-&repo=x HTTP/1.1', 'Content-Length: 100000\r\n\r\nhalf'),
  create: () =>
    send('POST /containers/create HTTP/1.1', 'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"Image":'),
}

test('clients that vanish from any stream leave no descriptor, listener or process behind', async () => {
  await run('talker', 'while true; do seq 200; sleep 0.05; done')
  await run('silent', 'exec sleep 100000', { OpenStdin: true })
  await daemon.api.json('POST', '/containers/create?name=idle', { Image: 'busybox', OpenStdin: true })
  // Twice: a thread that is needed again soon after it ended stays, and so do its descriptors.
  for (let i = 0; i < 2; i++) {
    for (const open of Object.values(streams)) (await open()).destroy()
    await sleep(2000)
  }
  const [before, inventory] = [descriptors(), readInventory(daemon)]
  const opened: Socket[] = []
  for (let round = 0; round < rounds; round++) {
    const sockets = await Promise.all(Object.values(streams).map((open) => open()))
    await sleep(Math.random() * 100)
    opened.push(...sockets)
    for (const socket of sockets) {
      if (Math.random() < 0.5) socket.end()
      else socket.destroy()
    }
  }
  const settled = () => descriptors().every((count, i) => count <= (before[i] ?? 0) + 3)
  for (const socket of opened) socket.destroy()
  await until(settled, 15_000).catch(() => assert.fail(`descriptors: ${before} before, ${descriptors()} after`))
  await restored(daemon, inventory)
  assert.doesNotMatch(daemon.log(), /MaxListenersExceeded|uncaught exception|unhandled rejection/)
  for (const name of ['talker', 'silent', 'idle']) await daemon.api.json('DELETE', `/containers/${name}?force=1`)
})

test('clients that do not read hold up neither the container for ever nor the memory', async () => {
  await run(
    'flood',
    'i=0; while [ $i -lt 60 ]; do yes 0123456789012345678901234567890123456789 | head -c 1000000; i=$((i+1)); done; echo end',
  )
  const slow = await Promise.all(
    Array.from({ length: 10 }, (_, i) =>
      send(
        i % 2
          ? 'GET /containers/flood/logs?follow=1&stdout=1 HTTP/1.1'
          : 'POST /containers/flood/attach?stream=1&stdout=1 HTTP/1.1',
        i % 2 ? '\r\n' : upgrade,
      ),
    ),
  )
  for (const socket of slow) socket.pause()
  await until(async () => (await statusOf('flood')) === 'exited', 60_000)
  const [pid, supervisor] = [daemon.pid, daemon.supervisors()[0] ?? 0]
  assert.ok(memory(pid) < 200_000, `berthd: ${memory(pid)} kB`)
  assert.ok(memory(supervisor) < 120_000, `supervisor: ${memory(supervisor)} kB`)
  for (const socket of slow) socket.destroy()
  await daemon.api.json('DELETE', '/containers/flood?force=1')
})

const half = packTar([{ path: 'half', content: Buffer.alloc(1 << 20, 'h') }]).subarray(0, 4096)

/** Copies whose bodies never end: nothing of a body, half a chunk's head, half a chunk, all chunks but the last. */
const unfinished: readonly string[] = [
  '',
  '10',
  `2000\r\n${half.toString('latin1')}`,
  `1000\r\n${half.toString('latin1')}\r\n`,
]

test('copies whose senders are slow or stop hold nobody up, and end with their clients', async () => {
  for (const name of ['slow', 'swift']) await run(name, 'exec sleep 1000', { HostConfig: { NetworkMode: 'none' } })
  const copyIn = (name: string) =>
    daemon.api.request('PUT', `/containers/${name}/archive?path=/tmp`, packTar([{ path: 'f', content: 'x' }]), {
      headers: { 'Content-Type': 'application/x-tar' },
    })
  const stall = (body: string) =>
    send('PUT /containers/slow/archive?path=/tmp HTTP/1.1', `Transfer-Encoding: chunked\r\n\r\n${body}`)
  await copyIn('swift')
  // The worker's thread that is there now stays.
  await sleep(2000)
  await copyIn('swift')
  const [before, inventory] = [descriptors(), readInventory(daemon)]
  const stopped = await Promise.all([...unfinished, ...unfinished].map(stall))
  const dripping = await Promise.all(Array.from({ length: 4 }, () => stall(unfinished.at(-1)!)))
  const drip = setInterval(() => dripping.forEach((socket) => socket.write('1\r\nh\r\n')), 20)
  try {
    for (let i = 0; i < 5; i++) {
      const began = performance.now()
      const statuses = await Promise.all(['slow', 'swift'].map(async (name) => (await copyIn(name)).status))
      const read = await daemon.api.request('GET', '/containers/slow/archive?path=/tmp/f')
      const tookMs = performance.now() - began
      assert.deepEqual([...statuses, read.status], [200, 200, 200])
      assert.ok(tookMs < 3000, `three copies took ${tookMs} ms`)
    }
  } finally {
    clearInterval(drip)
  }
  for (const socket of stopped.slice(unfinished.length)) socket.end()
  for (const socket of [...dripping, ...stopped.slice(0, unfinished.length)]) socket.destroy()
  const settled = () => descriptors().every((count, i) => count <= (before[i] ?? 0) + 3)
  await until(settled, 15_000).catch(() => assert.fail(`descriptors: ${before} before, ${descriptors()} after`))
  await restored(daemon, inventory)
  for (const socket of stopped) socket.destroy()
  assert.equal((await copyIn('slow')).status, 200)
  for (const name of ['slow', 'swift']) await daemon.api.json('DELETE', `/containers/${name}?force=1`)
  assert.doesNotMatch(daemon.log(), /MaxListenersExceeded|uncaught exception|unhandled rejection/)
})

test('a container that somebody copies to without end can be removed', async () => {
  const inventory = readInventory(daemon)
  await daemon.api.json('POST', '/containers/create?name=doomed', { Image: 'busybox' })
  const socket = await send(
    'PUT /containers/doomed/archive?path=/tmp HTTP/1.1',
    `Transfer-Encoding: chunked\r\n\r\n${unfinished.at(-1)}`,
  )
  await until(
    async () => (await daemon.api.request('HEAD', '/containers/doomed/archive?path=/tmp/half')).status === 200,
    10_000,
  )
  await daemon.api.json('DELETE', '/containers/doomed')
  socket.destroy()
  await restored(daemon, inventory)
})

async function statusOf(name: string): Promise<string> {
  const { State: state } = (await daemon.api.json('GET', `/containers/${name}/json`)) as { State: { Status: string } }
  return state.Status
}

test('64 runs side by side with kills, removals, renames and execs among them end cleanly', async () => {
  const inventory = readInventory(daemon)
  const { pid } = daemon
  const answers = await Promise.all(Array.from({ length: 64 }, (_, i) => rough(`rough${i}`)))
  const wrong = answers.flat().filter(({ status }) => status >= 500)
  assert.deepEqual(wrong, [])
  assert.equal(daemon.pid, pid)
  const all = (await daemon.api.json('GET', '/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of all) await daemon.api.request('DELETE', `/containers/${Id}?force=1`)
  await restored(daemon, inventory)
  assert.doesNotMatch(daemon.log(), /uncaught exception|unhandled rejection/)
})

interface Answer {
  readonly what: string
  readonly status: number
  readonly text: string
}

/** One container's short life, with everybody pulling at it at once. */
async function rough(name: string): Promise<Answer[]> {
  const ask = async (method: string, path: string, body?: object): Promise<Answer> => {
    const { status, text } = await daemon.api.request(method, path, body)
    return { what: `${method} ${path}`, status, text }
  }
  const config = { Image: 'busybox', Cmd: ['sh', '-c', 'sleep 0.3'], HostConfig: { AutoRemove: Math.random() < 0.5 } }
  const created = await ask('POST', `/containers/create?name=${name}`, config)
  const later = async (method: string, path: string, body?: object): Promise<Answer> => {
    await sleep(Math.random() * 600)
    return await ask(method, path, body)
  }
  const rest = await Promise.all([
    ask('POST', `/containers/${name}/start`),
    later('POST', `/containers/${name}/kill`),
    later('POST', `/containers/${name}/stop?t=0`),
    later('POST', `/containers/${name}/restart?t=0`),
    later('POST', `/containers/${name}/pause`),
    later('POST', `/containers/${name}/exec`, { Cmd: ['true'] }),
    later('POST', `/containers/${name}/rename?name=${name}-new`),
    later('DELETE', `/containers/${name}?force=1`),
    later('DELETE', `/containers/${name}-new?force=1`),
  ])
  return [created, ...rest]
}
