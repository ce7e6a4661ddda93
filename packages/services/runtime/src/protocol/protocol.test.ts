import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeFromSupervisor, decodeHello, decodeRequest, decodeWelcome } from './decode.ts'
import { encodeLine, LineDecoder, ProtocolError } from './lines.ts'
import { encodeStdinHead, endOfStdin, maxFrameBytes, StdinDecoder } from './stdin-frames.ts'

const containerId = 'c'.repeat(64)
const execId = 'e'.repeat(64)
const io = { tty: true, openStdin: true, stdinOnce: false, consoleSize: { rows: 24, columns: 80 } }
const log = { driver: 'json-file', path: '/l/x.log', maxSizeBytes: 1, maxFiles: 2, compress: true, attrs: { a: 'b' } }
const command = { path: '/usr/bin/crun', args: ['--debug'] }
const start = {
  op: 'start',
  containerId,
  command,
  bundle: '/b',
  ociRoot: '/o',
  cgroupsPath: '/c',
  watchOom: true,
  sharesPids: false,
  io,
  log,
}

const requests: object[] = [
  start,
  { ...start, log: { driver: 'none' } },
  { op: 'prepare', containerId, execId, command, bundle: '/b', ociRoot: '/o', io },
  { op: 'exec', containerId, execId, command, bundle: '/b', ociRoot: '/o', io, process: '{}' },
  { op: 'kill', target: { containerId, execId }, signal: 9 },
  { op: 'resize', target: { containerId }, size: { rows: 1, columns: 65535 } },
  { op: 'release', target: { containerId } },
  { op: 'list' },
  { op: 'replace', program: '/n', args: ['a'] },
  { op: 'shutdown' },
]

test('decodeRequest() reads back every request, with an id or without', () => {
  for (const request of requests) {
    assert.deepEqual(decodeRequest(JSON.parse(JSON.stringify({ id: 5, ...request }))), { id: 5, request })
    assert.deepEqual(decodeRequest(request), { request })
  }
})

test('decodeRequest() refuses what is malformed and names it', () => {
  const refused: [value: unknown, reason: RegExp][] = [
    [null, /request: no object/],
    [[], /request: no object/],
    [{ id: 1, op: 'fly' }, /op: "fly" is unknown/],
    [{ id: 1, op: 'toString' }, /op: "toString" is unknown/],
    [{ id: -1, op: 'list' }, /id: no natural number/],
    [{ id: 1, op: 'kill', target: { containerId: '../x' }, signal: 9 }, /containerId: not 64 hex digits/],
    [{ id: 1, op: 'kill', target: { containerId, execId: 5 }, signal: 9 }, /execId: not 64 hex digits/],
    [{ id: 1, op: 'kill', target: { containerId }, signal: 1.5 }, /signal: no natural number/],
    [
      { id: 1, op: 'resize', target: { containerId }, size: { rows: 65536, columns: 1 } },
      /rows: 65536 is out of range/,
    ],
    [{ id: 1, ...start, bundle: 'relative' }, /bundle: no absolute path/],
    [{ id: 1, ...start, bundle: '/nul\0' }, /bundle: no absolute path/],
    [{ id: 1, ...start, io: { ...io, tty: 'yes' } }, /tty: no boolean/],
    [{ id: 1, ...start, log: { driver: 'syslog' } }, /driver: "syslog" is unknown/],
    [{ id: 1, ...start, log: { ...log, attrs: { a: 1 } } }, /a: no string/],
    [{ id: 1, ...start, command: { path: '/c', args: [1] } }, /args: no list of strings/],
  ]
  for (const [value, reason] of refused) assert.throws(() => decodeRequest(value), reason)
})

test('decodeHello() and decodeWelcome() read the handshake', () => {
  assert.deepEqual(decodeHello({ role: 'control', protocol: 1 }), { role: 'control', protocol: 1 })
  const attach = {
    role: 'attach',
    protocol: 1,
    target: { containerId },
    options: { stdin: true, stdout: false, stderr: true },
  }
  assert.deepEqual(decodeHello({ ...attach, later: 'field' }), attach)
  const request = { id: 4, op: 'kill', target: { containerId }, signal: 9 }
  const withRequest = { ...attach, request: decodeRequest(request) }
  assert.deepEqual(decodeHello({ ...attach, request }), withRequest)
  assert.throws(() => decodeHello({ ...attach, request: { id: 4, op: 'dance' } }), /op: "dance" is unknown/)
  assert.throws(() => decodeHello({ role: 'spy', protocol: 1 }), /role: "spy" is unknown/)
  assert.throws(() => decodeHello({ ...attach, options: { stdin: true } }), /stdout: no boolean/)
  assert.deepEqual(decodeWelcome({ protocol: 2, pid: 3, build: 'b' }), { protocol: 2, pid: 3, build: 'b' })
  const welcome = { protocol: 2, pid: 3, build: 'b', servesWithAttach: true, takesNotices: true }
  assert.deepEqual(decodeWelcome(welcome), welcome)
})

test('decodeFromSupervisor() reads replies, failures and announcements', () => {
  assert.deepEqual(decodeFromSupervisor({ id: 1, value: [2] }), { id: 1, value: [2] })
  const failure = { kind: 'notFound', message: 'gone' }
  assert.deepEqual(decodeFromSupervisor({ id: 1, failure }), { id: 1, failure })
  assert.deepEqual(decodeFromSupervisor({ id: 1, failure: { kind: 'new', message: 'm' } }), {
    id: 1,
    failure: { kind: 'internal', message: 'm' },
  })
  const report = { containerId, execId, exitCode: 1, oomKilled: false, exitedAt: 't' }
  assert.deepEqual(decodeFromSupervisor({ announce: 'exit', report }), { announce: 'exit', report })
  assert.deepEqual(decodeFromSupervisor({ announce: 'oom', containerId }), { announce: 'oom', containerId })
  assert.throws(() => decodeFromSupervisor({ announce: 'party' }), ProtocolError)
})

test('LineDecoder joins lines that arrive in any parts', () => {
  const bytes = Buffer.from(encodeLine({ a: 'é\n' }) + encodeLine(5))
  for (const size of [1, 2, 3, bytes.length]) {
    const decoder = new LineDecoder()
    const messages: unknown[] = []
    for (let at = 0; at < bytes.length; at += size) messages.push(...decoder.push(bytes.subarray(at, at + size)))
    assert.deepEqual(messages, [{ a: 'é\n' }, 5])
  }
})

test('LineDecoder.first() leaves the bytes after the first line alone', () => {
  const decoder = new LineDecoder()
  assert.equal(decoder.first(Buffer.from('{"a"')), undefined)
  assert.deepEqual(decoder.first(Buffer.from(':1}\nraw\n')), { message: { a: 1 }, rest: Buffer.from('raw\n') })
})

test('LineDecoder refuses what is no JSON, and a line without end', () => {
  assert.throws(() => new LineDecoder().push(Buffer.from('GET / HTTP/1.1\n')), ProtocolError)
  const decoder = new LineDecoder(100)
  decoder.push(Buffer.alloc(60, 'x'))
  assert.throws(() => decoder.push(Buffer.alloc(60, 'x')), /longer than 100 bytes/)
})

function decodeStdin(chunks: readonly Buffer[]): string {
  let text = ''
  const decoder = new StdinDecoder(
    (bytes) => (text += bytes.toString()),
    () => (text += '<end>'),
  )
  for (const chunk of chunks) decoder.push(chunk)
  return text
}

test('StdinDecoder gives back the input and its end, however it arrives', () => {
  const frame = (text: string) => Buffer.concat([encodeStdinHead(text.length), Buffer.from(text)])
  const bytes = Buffer.concat([frame('hello '), frame('world'), endOfStdin()])
  for (const size of [1, 3, 7, bytes.length]) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    )
    assert.equal(decodeStdin(chunks), 'hello world<end>')
  }
})

test('StdinDecoder refuses a giant frame, and input after the end', () => {
  assert.throws(() => decodeStdin([encodeStdinHead(maxFrameBytes + 1)]), ProtocolError)
  assert.throws(() => decodeStdin([Buffer.concat([endOfStdin(), Buffer.from('x')])]), /input after its end/)
})
