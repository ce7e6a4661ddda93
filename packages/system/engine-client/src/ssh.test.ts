import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseHost } from './endpoint.ts'
import { EngineClient } from './engine-client.ts'
import { ConnectionError } from './errors.ts'
import { controlDirectory, sshArguments } from './ssh.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-ssh-'))
const path = process.env['PATH'] ?? ''
const engine = createServer((request, response) => response.end(JSON.stringify([{ Id: request.url }])))

/** An `ssh` of our own: it connects its streams to the engine as the far side's dial-stdio does, or fails. */
const program = `#!${process.execPath}
if (process.argv.includes('nowhere')) {
  process.stderr.write('ssh: no such host\\n')
  process.exitCode = 255
} else {
  const socket = require('node:net').connect({ path: ${JSON.stringify(join(folder, 'engine.sock'))}, allowHalfOpen: true })
  process.stdin.pipe(socket).pipe(process.stdout)
}
`

before(async () => {
  writeFileSync(join(folder, 'ssh'), program)
  chmodSync(join(folder, 'ssh'), 0o755)
  process.env['PATH'] = `${folder}:${path}`
  await new Promise<void>((resolve) => engine.listen(join(folder, 'engine.sock'), resolve))
})
after(() => {
  process.env['PATH'] = path
  engine.close()
  engine.closeAllConnections()
  rmSync(folder, { recursive: true })
})

test('EngineClient speaks to an engine behind ssh, several requests over one program', async () => {
  using client = new EngineClient({ endpoint: parseHost('ssh://me@host:22') })
  for (const all of [true, false]) {
    assert.deepEqual(await client.containers.list({ all }), [{ Id: `/v1.51/containers/json?all=${all ? 1 : 0}` }])
  }
})

test('EngineClient tells what ssh said when it fails', async () => {
  using client = new EngineClient({ endpoint: parseHost('ssh://nowhere') })
  await assert.rejects(client.containers.list(), (error) => {
    assert.ok(error instanceof ConnectionError)
    assert.match(
      error.message,
      /^error during connect to ssh:\/\/nowhere: ssh has exited with status 255: ssh: no such host/,
    )
    return true
  })
})

test('sshArguments() keeps what the URL says from being taken for options', () => {
  const endpoint = parseHost('ssh://me@host:2222/run/x.sock')
  assert.equal(endpoint.kind, 'ssh')
  const args = endpoint.kind === 'ssh' ? sshArguments(endpoint, '') : []
  assert.deepEqual(args.slice(0, 8), ['-l', 'me', '-p', '2222', '-o', 'ConnectTimeout=30', '-T', '--'])
  assert.equal(args[8], 'host')
  assert.match(args[9] ?? '', /--host '\\''unix:\/\/\/run\/x.sock'\\'' system dial-stdio/)
  for (const url of ['ssh://-oProxyCommand=x', 'ssh://-l@h', 'ssh://me:secret@h', 'ssh://h?x', 'ssh://h:99999']) {
    assert.throws(() => parseHost(url), /invalid ssh URL/)
  }
})

test('controlDirectory() is private and short, or none', () => {
  const [runtime, home] = [join(folder, 'runtime'), join(folder, 'home')]
  for (const path of [runtime, join(home, '.ssh'), join(folder, 'x'.repeat(60), '.ssh')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }
  assert.equal(controlDirectory({ XDG_RUNTIME_DIR: runtime }, home), runtime)
  assert.equal(controlDirectory({}, home), join(home, '.ssh'))
  chmodSync(runtime, 0o777)
  assert.equal(controlDirectory({ XDG_RUNTIME_DIR: runtime }, '/nonexistent'), '')
  assert.equal(controlDirectory({}, join(folder, 'x'.repeat(60))), '')
})
