import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:http2'
import type { ServerHttp2Stream } from 'node:http2'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon, until } from '@berth/testing'
import { Packet_PacketType as PacketType, PacketSchema } from '../../packages/system/buildkit-protocol/src/index.ts'
import { BuildxClient } from '../peers/buildx-client.ts'
import {
  build,
  directory,
  files,
  finish,
  frame,
  openSession,
  RawClient,
  send,
  symlink,
  upgrade,
} from './buildkit-peer.ts'

let daemon: TestDaemon
let count = 0

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
})
after(() => daemon?.[Symbol.asyncDispose]())

const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1024

async function stillAnswers(): Promise<void> {
  assert.equal((await daemon.api.request('GET', '/_ping')).text, 'OK')
}

/** What a build has received is gone when it is over. */
const leftovers = (): string[] => readdirSync(join(daemon.dataRoot, 'builder/tmp'))

/** A build whose context is what `other` sends. */
async function buildFrom(other: (stream: ServerHttp2Stream) => void): Promise<string> {
  const id = `hostile-${++count}`
  const answers = { '/moby.filesync.v1.FileSync/DiffCopy': files('FROM busybox\nCOPY . /c\n', other) }
  const session = await openSession(daemon, id, answers)
  try {
    return await build(daemon, id)
  } finally {
    session.destroy()
  }
}

for (const [what, stats] of [
  ['climb', [{ path: '../../../escaped', mode: directory + 0o755 }]],
  ['are absolute', [{ path: '/tmp/escaped', mode: directory + 0o755 }]],
  [
    'are not clean',
    [
      { path: 'a', mode: directory },
      { path: 'a/./b', mode: directory },
    ],
  ],
  [
    'go through a symlink',
    [
      { path: 'l', mode: symlink, linkname: '/tmp' },
      { path: 'l/escaped', mode: directory },
    ],
  ],
  [
    'take the place of a directory',
    [
      { path: 'd', mode: directory },
      { path: 'd', mode: symlink, linkname: '/tmp' },
    ],
  ],
  ['are links to a file of the host', [{ path: 'h', mode: 0o644, linkname: '../../../../etc/passwd' }]],
  ['have a NUL in them', [{ path: 'a\0b', mode: directory }]],
] as const) {
  test(`files of a session that ${what} are refused`, async () => {
    const message = await buildFrom((stream) => {
      send(stream, stats)
      finish(stream)
    })
    assert.match(message, /invalid path|leads out|did not come before|came twice|no earlier file|NUL byte/)
    assert.equal(existsSync('/tmp/escaped'), false)
    await until(() => leftovers().length === 0)
  })
}

test('a session cannot send more than it said, nor what nobody asked for', async () => {
  const data = (stream: ServerHttp2Stream, id: number) =>
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id, data: Buffer.alloc(30_000) }))
  const longer = await buildFrom((stream) => {
    send(stream, [{ path: 'f', mode: 0o644, size: 10n }])
    data(stream, 0)
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0 }))
    finish(stream)
  })
  assert.match(longer, /longer than its 10 bytes/)
  const unasked = await buildFrom((stream) => data(stream, 7))
  assert.match(unasked, /nobody asked for file 7/)
  await until(() => leftovers().length === 0)
})

test('a session that sends one file without end does not fill the memory', async () => {
  const before = residentMb()
  const chunk = frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0, data: Buffer.alloc(1 << 20) })
  let sent = 0
  const message = await buildFrom((stream) => {
    send(stream, [{ path: 'f', mode: 0o644, size: 1000n << 20n }])
    const more = () => {
      while (!stream.destroyed && stream.writable && stream.write(chunk)) sent++
      sent++
    }
    stream.on('drain', more)
    more()
  })
  assert.match(message, /longer than its/)
  assert.ok(sent > 990, `${sent} MB were sent`)
  // Of a short stream nearly all may wait for the garbage collector: a longer one takes no more.
  assert.ok(residentMb() - before < 500, `${residentMb() - before} MB more`)
  await until(() => leftovers().length === 0)
})

test('a Dockerfile without end is refused', async () => {
  const id = `endless-${++count}`
  const chunk = frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0, data: Buffer.alloc(1 << 20) })
  const answers = {
    '/moby.filesync.v1.FileSync/DiffCopy': (stream: ServerHttp2Stream) => {
      send(stream, [{ path: 'Dockerfile', mode: 0o644, size: 1n << 40n }])
      for (let i = 0; i < 8; i++) stream.write(chunk)
    },
  }
  const session = await openSession(daemon, id, answers)
  assert.match(await build(daemon, id), /the files are too large/)
  session.destroy()
})

test('a client that leaves while its files are awaited holds nothing up', async () => {
  const id = `leaves-${++count}`
  const waiting = Promise.withResolvers<void>()
  const answers = { '/moby.filesync.v1.FileSync/DiffCopy': files('FROM busybox\nCOPY . /\n', () => waiting.resolve()) }
  const session = await openSession(daemon, id, answers)
  const building = build(daemon, id)
  await waiting.promise
  session.destroy()
  assert.notEqual(await building, '')
  await until(() => leftovers().length === 0)
})

test('what is no HTTP/2, or no message, ends the connection and nothing else', async () => {
  for (const path of ['/grpc', '/session']) {
    const headers = { 'X-Docker-Expose-Session-Uuid': `garbage-${path.slice(1)}` }
    for (const bytes of [
      randomBytes(100_000),
      Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' + '\xff'.repeat(9999), 'latin1'),
    ]) {
      const socket = await upgrade(daemon, path, headers)
      socket.resume()
      socket.write(bytes)
      await once(socket, 'close')
      await stillAnswers()
    }
  }
})

/** One call with these bytes as its body, on a connection of its own; resolves to the status. */
async function rawCall(path: string, body: Buffer, metadata: Record<string, string> = {}): Promise<string> {
  using client = await RawClient.open(daemon)
  return (await client.call(path, body, metadata)).status ?? 'none'
}

const sized = (length: number, body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(length, 1)
  return Buffer.concat([head, body])
}

test('calls that are malformed get a status', async () => {
  const solve = '/moby.buildkit.v1.Control/Solve'
  const ping = '/moby.buildkit.v1.frontend.LLBBridge/Ping'
  const statuses = [
    await rawCall('/no.such/Method', Buffer.alloc(0)),
    await rawCall(solve, Buffer.alloc(0)),
    await rawCall(solve, sized(4_000_000_000, Buffer.alloc(100))),
    await rawCall(solve, sized(100, Buffer.alloc(10))),
    await rawCall(solve, sized(3, Buffer.from([0xff, 0xff, 0xff]))),
    await rawCall(solve, Buffer.from([1, 0, 0, 0, 0])),
    await rawCall(ping, sized(0, Buffer.alloc(0))),
    await rawCall(ping, sized(0, Buffer.alloc(0)), { 'buildkit-controlapi-buildid': 'x'.repeat(10_000) }),
  ]
  assert.deepEqual(statuses, ['12', '3', '8', '13', '3', '12', '2', '3'])
  await stillAnswers()
})

test('random messages to every method end each call, and leave the engine as it was', async () => {
  const control = ['DiskUsage', 'Prune', 'Solve', 'Status', 'ListWorkers', 'Info', 'UpdateBuildHistory', 'Session']
  const bridge = ['Ping', 'Solve', 'Return', 'ReadFile', 'ReadDir', 'StatFile', 'Inputs', 'Evaluate']
  const paths = [
    ...control.map((name) => `/moby.buildkit.v1.Control/${name}`),
    ...bridge.map((name) => `/moby.buildkit.v1.frontend.LLBBridge/${name}`),
  ]
  const rounds = Array.from({ length: 12 }, (_, i) => i)
  for (const path of paths) {
    await Promise.all(
      rounds.map(async (i) => {
        const body = randomBytes(i * 3)
        const status = await rawCall(path, sized(body.length, body))
        assert.match(status, /^\d+$|^none$/)
      }),
    )
  }
  await stillAnswers()
})

test('floods of streams that are reset, of settings and of headers are bounded', async () => {
  const before = residentMb()
  for (let i = 0; i < 5; i++) {
    const socket = await upgrade(daemon, '/grpc')
    const session = connect('http://x', { createConnection: () => socket as never })
    session.on('error', () => {})
    for (let n = 0; n < 2000 && !session.destroyed; n++) {
      const stream = session.request({ ':method': 'POST', ':path': '/x', filler: 'y'.repeat(2000) })
      stream.on('error', () => {})
      stream.close()
      if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    session.destroy()
  }
  await stillAnswers()
  assert.ok(residentMb() - before < 200, `${residentMb() - before} MB more`)
})

test('a secret of a build is in no layer, history, cache or log', async () => {
  using client = new BuildxClient(daemon)
  const secret = `never-stored-${randomBytes(12).toString('hex')}`
  const folder = client.context({
    Dockerfile:
      'FROM busybox\nRUN touch /kept\nRUN --mount=type=secret,id=t,target=/kept test -s /kept\nRUN --mount=type=secret,id=t,target=/deep/down/t --mount=type=secret,id=t,env=T test -s /deep/down/t && test -n "$T" && echo used > /used\n',
  })
  const args = ['build', '--secret', 'id=t,env=TOKEN', '-t', 'with-secret', '.']
  await client.ok(folder, args, { env: { TOKEN: secret } })
  const cached = await client.ok(folder, ['build', '--progress', 'plain', '-t', 'with-secret', '.'])
  assert.match(cached.stderr, /CACHED/)
  assert.match(await client.output('with-secret', 'ls', '/'), /^kept$/m)
  await client.ok(folder, ['save', '-o', 'image.tar', 'with-secret'])
  mkdirSync(join(folder, 'image'))
  execFileSync('tar', ['-xf', 'image.tar', '-C', 'image'], { cwd: folder })
  const list = execFileSync('sh', ['-c', 'cat image/blobs/sha256/* | tar -t 2>/dev/null || true'], {
    cwd: folder,
    encoding: 'utf8',
  })
  assert.doesNotMatch(list, /deep|run\/secrets/)
  const places = [daemon.dataRoot, daemon.runRoot, join(folder, 'image')]
  const found = execFileSync('sh', ['-c', 'grep -rlF -e "$0" "$@" 2>/dev/null || true', secret, ...places], {
    encoding: 'utf8',
  })
  assert.equal(found, '')
  assert.doesNotMatch(daemon.log(), new RegExp(secret))
})
