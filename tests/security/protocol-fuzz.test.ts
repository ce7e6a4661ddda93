import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { ServerHttp2Stream } from 'node:http2'
import { connect as connectSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { loadFixture, startDaemon, type TestDaemon, until } from '@berth/testing'
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import {
  Control,
  GrpcClient,
  LLBBridge,
  OpSchema,
  Packet_PacketType as PacketType,
  PacketSchema,
} from '../../packages/system/buildkit-protocol/src/index.ts'
import {
  build,
  directory,
  files,
  finish,
  frame,
  openSession,
  RawClient,
  send,
  type Stat,
  symlink,
  upgrade,
} from './buildkit-peer.ts'
import { Random } from './random.ts'

/** Another seed finds other things, more rounds find more. */
const seed = Number(process.env['BERTH_FUZZ_SEED'] ?? 1)
const rounds = Number(process.env['BERTH_FUZZ_ROUNDS'] ?? 1)
const again = `BERTH_FUZZ_SEED=${seed} BERTH_FUZZ_ROUNDS=${rounds}`

const maxMoreMb = 300
const syncFiles = '/moby.filesync.v1.FileSync/DiffCopy'

let daemon: TestDaemon
/** A folder of the host, which paths of clients try to reach. */
let canary: string
let residentMbBefore: number
let descriptorsBefore: number
let count = 0

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  canary = mkdtempSync(join(tmpdir(), 'berth-canary-'))
  writeFileSync(join(canary, 'file'), 'untouched')
  // What is loaded when it is first needed is there.
  assert.equal(await buildWith({}), '')
  await until(() => leftovers().length === 0)
  residentMbBefore = residentMb()
  descriptorsBefore = descriptors()
})
after(async () => {
  rmSync(canary, { recursive: true, force: true })
  await daemon?.[Symbol.asyncDispose]()
})

const residentMb = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1]) / 1024

const descriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length
const leftovers = (): string[] => readdirSync(join(daemon.dataRoot, 'builder/tmp'))

/** berthd lives, has given back what it took, wrote nowhere else, and took nothing for a bug of its own. */
afterEach(async () => {
  assert.equal((await daemon.api.request('GET', '/_ping')).text, 'OK', again)
  assert.ok(residentMb() - residentMbBefore < maxMoreMb, `${residentMb() - residentMbBefore} MB more; ${again}`)
  await until(() => descriptors() <= descriptorsBefore + 10)
  await until(() => leftovers().length === 0)
  assert.deepEqual(readdirSync(canary), ['file'])
  assert.equal(readFileSync(join(canary, 'file'), 'utf8'), 'untouched')
  const complaints = daemon
    .log()
    .split('\n')
    .filter((line) => line.includes('a call of BuildKit failed'))
  assert.deepEqual(complaints.slice(0, 3), [], again)
})

/** What an error says that comes from a bug. */
const words =
  /undefined|is not a function|is not iterable|[Cc]annot (?:read|mix|convert)|out of range|\bERR_[A-Z]|\bE[A-Z]{4,}\b/

const requireClear = (message: string, of: unknown): void =>
  assert.doesNotMatch(
    message,
    words,
    `${again}: ${JSON.stringify(of, (_, value) => (typeof value === 'bigint' ? String(value) : (value as unknown)))}`,
  )

/** Runs `work` so many times, some at a time, each with choices of its own. */
async function repeat(times: number, work: (random: Random, index: number) => Promise<void>): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < times * rounds; index = next++)
      await work(new Random(seed * 100_003 + index), index)
  }
  await Promise.all(Array.from({ length: 8 }, worker))
}

type Answer = (stream: ServerHttp2Stream) => void

const dockerfile = 'FROM busybox AS one\nCOPY . /c\nARG A=1\nFROM one AS two\nLABEL a=$A\n'

/** Sends one small file. */
const smallContext: Answer = (stream) => {
  send(stream, [{ path: 'f', mode: 0o644, size: 1n }])
  stream.once('data', () => {
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0, data: Buffer.from('f') }))
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_DATA, id: 0 }))
    stream.write(frame(PacketSchema, { type: PacketType.PACKET_FIN }))
    stream.end()
  })
}

interface Peer {
  readonly text?: string
  readonly context?: Answer
  /** To calls of these methods, in place of files or beside them. */
  readonly more?: Readonly<Record<string, Answer>>
}

async function openPeer(
  id: string,
  { text = dockerfile, context = smallContext, more = {} }: Peer,
): Promise<Disposable> {
  const socket = await openSession(daemon, id, { [syncFiles]: files(text, context), ...more })
  return { [Symbol.dispose]: () => void socket.destroy() }
}

/** A build of a client that answers as it is said; what it failed by, '' for success. */
async function buildWith(peer: Peer, attributes: Readonly<Record<string, string>> = {}): Promise<string> {
  const id = `fuzz-${++count}`
  using _session = await openPeer(id, peer)
  return await build(daemon, id, attributes)
}

test('frames of HTTP/2 in any order, length and flags end their connection at most', async () => {
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  const http2Frame = (type: number, flags: number, stream: number, payload: Buffer, length = payload.length) => {
    const head = Buffer.alloc(9)
    head.writeUIntBE(length, 0, 3)
    head.writeUInt8(type, 3)
    head.writeUInt8(flags, 4)
    head.writeUInt32BE(stream, 5)
    return Buffer.concat([head, payload])
  }
  // :method POST and :scheme http of the static table, :path and content-type as literals (RFC 7541, 6.2.2).
  const literal = (name: number, text: string) => Buffer.concat([Buffer.from([name, text.length]), Buffer.from(text)])
  const headers = Buffer.concat([
    Buffer.from([0x83, 0x86]),
    literal(0x04, '/moby.buildkit.v1.Control/ListWorkers'),
    Buffer.from([0x0f, 0x10]),
    literal(0, 'application/grpc').subarray(1),
  ])
  await repeat(300, async (random, index) => {
    const path = random.pick(['/grpc', '/session'])
    const socket = await upgrade(daemon, path, { 'X-Docker-Expose-Session-Uuid': `frames-${seed}-${index}` })
    socket.resume()
    const any = () => {
      const type = random.below(12)
      const payload = random.pick([Buffer.alloc(0), headers, random.mutate(headers), random.bytes(random.below(60))])
      const length = random.below(8) === 0 ? random.below(1 << 24) : payload.length
      const stream = random.pick([0, 1, 1, 3, 5, random.below(2 ** 31)])
      return http2Frame(type, random.pick([0, 1, 4, 5, random.below(256)]), stream, payload, length)
    }
    const call = [http2Frame(1, 4, 1, headers), http2Frame(0, 1, 1, Buffer.alloc(5))]
    const sent = Buffer.concat([preface, http2Frame(4, 0, 0, Buffer.alloc(0)), ...call, ...random.list(20, any)])
    socket.write(random.below(3) === 0 ? random.mutate(sent) : sent)
    socket.end()
    await once(socket, 'close')
  })
})

test('calls whose messages are cut, too long or in pieces get a status', async () => {
  const paths = Control.methods.map(({ name }) => `/moby.buildkit.v1.Control/${name}`)
  using client = await RawClient.open(daemon)
  await repeat(200, async (random) => {
    const message = () => {
      const body = random.bytes(random.below(40))
      const head = Buffer.alloc(5)
      head[0] = random.pick([0, 0, 0, 1, 255])
      head.writeUInt32BE(random.pick([body.length, body.length, 0, random.below(2 ** 32), 16 << 20]), 1)
      return Buffer.concat([head, body])
    }
    const body = random.mutate(Buffer.concat(random.list(4, message)))
    const path = random.pick(paths.filter((one) => !/Session|Listen/.test(one)))
    const ended = await client.call(path, body)
    assert.ok(ended.status !== undefined, `${path} ended without a status; ${again}`)
    requireClear(ended.message, { path, body: body.toString('hex') })
  })
})

test('messages that are never finished hold a bounded part of the memory', async () => {
  using client = await RawClient.open(daemon)
  const unfinished = Buffer.alloc(15 << 20)
  unfinished.set([0, 0, 0xff, 0xff, 0xff])
  const statuses: (string | undefined)[] = []
  for (let i = 0; i < 60; i++) {
    const { stream, ended } = client.begin('/moby.buildkit.v1.Control/Solve')
    void ended.then(({ status }) => statuses.push(status))
    await Promise.race([ended, new Promise((sent) => void stream.write(unfinished, sent))])
  }
  await until(() => statuses.length >= 50)
  assert.deepEqual([...new Set(statuses)], ['8'])
  assert.ok(residentMb() - residentMbBefore < maxMoreMb, `${residentMb() - residentMbBefore} MB more`)
})

const bytesOf = <M extends DescMessage>(schema: M, message: MessageInitShape<M>): Buffer =>
  Buffer.from(toBinary(schema, create(schema, message)))

const framed = (body: Buffer): Buffer => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

/** Texts that are wrong where a name, a path, a number or a digest is expected. */
const texts = [
  '',
  '\0',
  '..',
  '/',
  'a'.repeat(300),
  'ü\u{1F4A9}\u202E',
  '%00%2e%2e',
  '-1',
  '1e400',
  'true',
  '{}',
  '[null]',
  '[{"Type":1,"Attrs":[]}]',
  'sha256:0',
  '__proto__',
  'constructor',
  'input:0-x',
  'docker-image://',
  'local:',
  'oci-layout://x@sha256:0',
  'name=,type=',
  'a=b,c',
  '"',
]

const attributes = [
  'filename',
  'dockerfilekey',
  'target',
  'build-arg:A',
  'label:l',
  'no-cache',
  'platform',
  'image-resolve-mode',
  'context:c',
  'add-hosts',
  'force-network-mode',
  'shm-size',
  'ulimit',
  'cgroup-parent',
  'multi-platform',
  'cache-imports',
  'requestid',
  'source',
  'attest:provenance',
  'attest:sbom',
  'frontend.caps',
  'build-arg:SOURCE_DATE_EPOCH',
  'build-arg:BUILDKIT_SYNTAX',
  'build-arg:BUILDKIT_SANDBOX_HOSTNAME',
  'build-arg:BUILDKIT_CACHE_MOUNT_NS',
]

const randomAttributes = (random: Random): Record<string, string> =>
  Object.fromEntries(random.list(4, () => [random.pick(attributes), random.pick(texts)]))

test('builds with attributes that mean nothing fail in clear words, or are built', async () => {
  await repeat(150, async (random) => {
    const chosen = randomAttributes(random)
    requireClear(await buildWith({}, chosen), chosen)
  })
})

/** A graph as BuildKit's own frontends send it: the definition of `FROM busybox` and a privileged RUN. */
function privilegedGraph(): Uint8Array[] {
  const source = bytesOf(OpSchema, {
    source: { identifier: 'docker-image://docker.io/library/busybox:latest', attrs: {} },
  })
  // Op{inputs, exec{meta{args, cwd}, mounts{dest}, network: HOST, security: INSECURE}} of solver/pb/ops.proto.
  const exec = Buffer.from('0a02080012160a0d0a026964120130220130120012003801400122', 'hex')
  return [source, exec]
}

test('graphs of clients, changed ones of ours, and what they ask for are refused', async () => {
  const id = `graphs-${seed}`
  using _session = await openPeer(id, {})
  using client = new GrpcClient(await upgrade(daemon, '/grpc'), () => {})
  const solve = { ...Control.method.solve, path: '/moby.buildkit.v1.Control/Solve' }
  const frontend = { ...LLBBridge.method.solve, path: '/moby.buildkit.v1.frontend.LLBBridge/Solve' }
  const metadata = { 'buildkit-controlapi-buildid': id }
  client.call(solve, { ref: id, session: id }).catch(() => {})
  const built = await client.call(frontend, { frontend: 'dockerfile.v0' }, { metadata })
  const own = built.result?.result.case === 'ref' ? (built.result.result.value.def?.def ?? []) : []
  assert.equal(own.length, 2)
  const call = (request: MessageInitShape<typeof LLBBridge.method.solve.input>) =>
    client.call(frontend, request, { metadata }).then(
      () => '',
      (error: Error) => error.message,
    )
  assert.match(await call({ definition: { def: privilegedGraph() } }), /graphs of clients are not supported/)
  assert.match(
    await call({ frontend: 'gateway.v0', frontendOpt: { source: 'evil/frontend' } }),
    /only docker\/dockerfile/,
  )
  assert.match(await call({ frontend: 'evil.v0' }), /unknown frontend evil.v0/)
  for (const request of [
    { ref: `${id}-graph`, session: id, definition: { def: privilegedGraph() }, entitlements: ['security.insecure'] },
    { ref: `${id}-frontend`, session: id, frontend: 'gateway.v0', frontendAttrs: { source: 'evil/frontend' } },
  ]) {
    await assert.rejects(client.call(solve, request), /graphs of clients are not supported/)
  }
  // Not even an empty one is passed over: what it denies would be taken.
  assert.match(await call({ frontend: 'dockerfile.v0', sourcePolicies: [new Uint8Array()] }), /source policies/)
  const policy = Buffer.from('0a0408011200', 'hex')
  for (const request of [{ sourcePolicy: policy }, { sourcePolicySession: id }]) {
    await assert.rejects(client.call(solve, { ref: `${id}-policy`, session: id, ...request }), /source policies/)
  }
  await assert.rejects(client.call(solve, { ref: `${id}-proxy`, session: id, proxyNetwork: true }), /proxied network/)
  await repeat(150, async (random) => {
    const def = random.pick([own, privilegedGraph(), [...own, ...privilegedGraph()]]).map((op) => random.mutate(op))
    const input = random.pick(['0-a', '', '__proto__', 'context'])
    const request = random.pick([
      { definition: { def } },
      {
        frontend: 'dockerfile.v0',
        frontendInputs: { [input]: { def } },
        frontendOpt: { 'context:busybox': `input:${input}`, ...randomAttributes(random) },
      },
    ])
    requireClear(await call(request), request)
  })
})

test('frontends that ask for privileges that nobody granted get none', async () => {
  const asked = async (run: string, entitlements: readonly string[] = []): Promise<string> => {
    const id = `privileges-${++count}`
    using _session = await openPeer(id, { text: `FROM busybox\nRUN ${run} true\n` })
    return await build(daemon, id, {}, entitlements)
  }
  assert.match(await asked('--security=insecure'), /security.insecure is not allowed/)
  assert.match(await asked('--network=host'), /network.host is not allowed/)
  assert.match(await asked('--device=vendor.com/device=one'), /device/i)
  assert.match(
    await asked('--security=insecure', ['security.insecure']),
    /granting entitlement security.insecure is not allowed/,
  )
  assert.match(await asked('', ['device', '../x']), /granting entitlement device is not allowed/)
})

test('messages that are changed in any place fail in clear words', async () => {
  const id = `messages-${seed}`
  using _session = await openPeer(id, {})
  using client = new GrpcClient(await upgrade(daemon, '/grpc'), () => {})
  using raw = await RawClient.open(daemon)
  const solve = { ...Control.method.solve, path: '/moby.buildkit.v1.Control/Solve' }
  const frontend = { ...LLBBridge.method.solve, path: '/moby.buildkit.v1.frontend.LLBBridge/Solve' }
  const metadata = { 'buildkit-controlapi-buildid': id }
  client.call(solve, { ref: id, session: id }).catch(() => {})
  const built = await client.call(frontend, { frontend: 'dockerfile.v0' }, { metadata })
  const ref = built.result?.result.case === 'ref' ? built.result.result.value.id : ''
  const { solve: bridgeSolve, readFile, readDir, statFile, return: returned, evaluate } = LLBBridge.method
  const { diskUsage, prune, updateBuildHistory, listWorkers, status } = Control.method
  const range = { offset: -5n, length: 2n ** 62n }
  const examples: readonly (readonly [string, Buffer])[] = [
    ['LLBBridge/ReadFile', bytesOf(readFile.input, { ref, filePath: 'c/f', range: { offset: 0n, length: 1n } })],
    ['LLBBridge/ReadFile', bytesOf(readFile.input, { ref, filePath: '../../etc/passwd', range })],
    ['LLBBridge/ReadDir', bytesOf(readDir.input, { ref, dirPath: '/c', includePattern: '*' })],
    ['LLBBridge/ReadDir', bytesOf(readDir.input, { ref, dirPath: `../../../../../..${canary}` })],
    ['LLBBridge/StatFile', bytesOf(statFile.input, { ref, path: 'c/f' })],
    ['LLBBridge/Evaluate', bytesOf(evaluate.input, { ref })],
    [
      'LLBBridge/Solve',
      bytesOf(bridgeSolve.input, {
        frontend: 'dockerfile.v0',
        frontendOpt: { target: 'one', 'build-arg:A': '2' },
        cacheImports: [{ type: 'registry', attrs: { ref: 'localhost:1/x' } }],
      }),
    ],
    ['Control/DiskUsage', bytesOf(diskUsage.input, { filter: ['type==regular'], ageLimit: -1n })],
    ['Control/Prune', bytesOf(prune.input, { filter: ['id~=nothing'], keepDuration: 2n ** 62n })],
    ['Control/UpdateBuildHistory', bytesOf(updateBuildHistory.input, { ref, pinned: true })],
    ['Control/ListWorkers', bytesOf(listWorkers.input, { filter: ['x'] })],
    ['Control/Status', bytesOf(status.input, { ref: `${id}-unknown` })],
    ['Control/Solve', bytesOf(solve.input, { ref: `${id}-x`, session: id, frontend: 'x', internal: true })],
    ['LLBBridge/Return', bytesOf(returned.input, { error: { code: 2, message: 'x' } })],
  ]
  await repeat(400, async (random) => {
    const [name, example] = random.pick(examples)
    const service = name.startsWith('Control') ? 'moby.buildkit.v1' : 'moby.buildkit.v1.frontend'
    const body = random.mutate(example)
    const buildId = name.endsWith('Return') ? `${id}-other` : id
    const { stream, ended } = raw.begin(`/${service}.${name}`, { 'buildkit-controlapi-buildid': buildId })
    stream.end(framed(body))
    // A build that is begun goes on until its client returns a result, and so does who follows it.
    const lasts = /Solve|Status/.test(name)
    if (lasts) setTimeout(() => stream.close(), 2000)
    const { status: code, message } = await ended
    assert.ok(lasts || code !== undefined, `${name} ended without a status; ${again}`)
    requireClear(message, { name, body: body.toString('hex') })
  })
})

test('sessions are opened by any headers, or refused', async () => {
  const socketPath = daemon.host.replace('unix://', '')
  const names = ['Uuid', 'Sharedkey', 'Grpc-Method', 'Name', '']
  const values = ['', ' ', 'x', 'a'.repeat(257), 'a'.repeat(9000), '../../x', '/moby.x/Y', '\xff\xfe', '%00', 'x, y']
  await repeat(150, async (random) => {
    const header = () => `X-Docker-Expose-Session-${random.pick(names)}: ${random.pick(values)}\r\n`
    const upgrades = random.pick(['h2c', 'h2c', 'h2c', 'websocket', 'h2c, x', ''])
    const text = `POST /session HTTP/1.1\r\nHost: \r\nConnection: Upgrade\r\nUpgrade: ${upgrades}\r\n${random.list(6, header).join('')}\r\n`
    const socket = connectSocket(socketPath)
    socket.on('error', () => {})
    socket.write(Buffer.from(text, 'latin1'))
    const answer = String((await Promise.race([once(socket, 'data'), once(socket, 'close')]))[0])
    assert.match(answer, /^HTTP\/1\.1 (?:101|400|431) |^false$/, `${again}: ${text}`)
    requireClear(answer.split('\r\n\r\n')[1] ?? '', text)
    socket.write(random.bytes(random.below(50)))
    socket.destroy()
  })
})

const integers = [0n, 1n, -1n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const numbers = [0, 1, 0o644, 0xffff, 2 ** 31 - 1, 2 ** 32 - 1]
const kinds = [
  0,
  directory,
  symlink,
  2 ** 26,
  2 ** 26 + 2 ** 21,
  2 ** 25,
  2 ** 24,
  2 ** 19,
  2 ** 23,
  directory + symlink,
]

/** Paths that lead elsewhere, are no paths, or are good. */
const hostilePaths = (): readonly string[] => [
  'a',
  'b',
  'a/b',
  'a/b/c',
  'f',
  '',
  '.',
  '..',
  '/',
  '../x',
  canary,
  `../../../../../../..${canary}/x`,
  `a${canary}`,
  'a/../../x',
  'a//b',
  'a/',
  './a',
  'a\0b',
  '.wh.a',
  'n'.repeat(256),
  'd/'.repeat(3000),
  'p'.repeat(70_000),
  '\uFFFD\u202E\n',
]

const randomStat = (random: Random): Stat => ({
  path: random.pick(hostilePaths()),
  mode: (random.pick(kinds) + random.pick([0o644, 0o755, 0, 0o777])) >>> 0,
  uid: random.pick(numbers),
  gid: random.pick(numbers),
  size: random.pick(integers),
  modTime: random.pick(integers),
  linkname: random.pick(['', '', '', ...hostilePaths()]),
  devmajor: random.pick(integers),
  devminor: random.pick(integers),
})

/** Some entries that are good, one that may not be: what follows the first bad one is not looked at. */
function randomPackets(random: Random): Buffer[] {
  const stat = (one: Stat) => frame(PacketSchema, { type: PacketType.PACKET_STAT, stat: one })
  const good = random.list(2, () => stat({ path: random.pick(['a', 'g', 'h']), mode: directory + 0o755, modTime: 0n }))
  const other = () => {
    const type = random.pick([0, 1, 2, 3, 4, 5, 99]) as PacketType
    const data = random.bytes(random.below(30))
    return frame(PacketSchema, { type, id: random.below(5), data, stat: randomStat(random) })
  }
  const bad = random.list(3, () => stat(randomStat(random)))
  const all = [...good, ...bad, ...random.list(2, other), frame(PacketSchema, { type: PacketType.PACKET_STAT })]
  return random.below(4) === 0 ? all.map((one) => random.mutate(one)) : all
}

test('trees of any entries, in any order, are taken below their directory, or refused in clear words', async () => {
  await repeat(400, async (random) => {
    const packets = randomPackets(random)
    const message = await buildWith({
      context: (stream) => {
        for (const one of packets) stream.write(one)
        finish(stream)
        setTimeout(() => stream.close(), 200)
      },
    })
    requireClear(
      message,
      packets.map((one) => one.toString('hex').slice(0, 300)),
    )
  })
})

test('answers of a session that are no answers fail in clear words', async () => {
  const text = 'FROM busybox\nRUN --mount=type=secret,id=s --mount=type=ssh --network=none true\n'
  const methods = [
    '/moby.buildkit.secrets.v1.Secrets/GetSecret',
    '/moby.sshforward.v1.SSH/CheckAgent',
    '/moby.sshforward.v1.SSH/ForwardAgent',
    '/moby.filesync.v1.Auth/Credentials',
    syncFiles,
  ]
  await repeat(60, async (random) => {
    const answer: Answer = (stream) => {
      for (const piece of random.list(4, () =>
        random.pick([framed(random.bytes(random.below(20))), random.bytes(8)]),
      )) {
        stream.write(piece)
      }
      if (random.below(3) === 0) return stream.close(random.below(14))
      stream.end()
    }
    const more = Object.fromEntries(random.list(4, () => [random.pick(methods), answer]))
    requireClear(await buildWith({ text, more }), Object.keys(more))
  })
})
