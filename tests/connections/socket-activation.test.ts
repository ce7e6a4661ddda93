import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, EngineApi, loadFixture, startDaemon, type TestDaemon, until } from '@berth/testing'
import { Certificates } from './certificates.ts'

/** berthd on sockets that a service manager has made and passes on (sd_listen_fds(3)). */
const berth = fileURLToPath(new URL('../../bin/berth', import.meta.url))

/** Does what systemd does: listens on a unix socket and a port of TCP, and becomes the program with both of them. */
const activate = `
import os, socket, sys
unix = socket.socket(socket.AF_UNIX)
unix.bind(sys.argv[1])
tcp = socket.create_server(('127.0.0.1', 2399))
passed = [unix, tcp]
for number, one in enumerate(passed):
    one.listen()
    assert one.fileno() == 3 + number
    os.set_inheritable(one.fileno(), True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(passed)), LISTEN_FDNAMES='a:b')
os.execv(sys.argv[2], sys.argv[2:])
`

let daemon: TestDaemon
let child: ChildProcess | undefined
let output = ''
before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
})
after(async () => {
  await end()
  await daemon?.[Symbol.asyncDispose]()
})

const socketPath = (): string => join(dirname(daemon.runRoot), 'activated.sock')
const api = (): EngineApi => new EngineApi(`unix://${socketPath()}`)

function own(...hosts: readonly string[]): string[] {
  const roots = ['--data-root', daemon.dataRoot, '--exec-root', daemon.runRoot]
  const flags = ['--cgroup-parent', `/${daemon.sandbox.name}`, '--pidfile', join(dirname(daemon.runRoot), 'pid')]
  return [berth, 'daemon', ...roots, ...flags, ...hosts.flatMap((host) => ['-H', host])]
}

/** Starts berthd instead of the one that runs, by `through` where that is given. */
async function startActivated(
  hosts: readonly string[],
  through: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<void> {
  if (child === undefined) await daemon.kill('SIGKILL')
  await end()
  rmSync(socketPath(), { force: true })
  const { file, args, env } = daemon.sandbox.enter([
    ...through,
    'python3',
    '-c',
    activate,
    socketPath(),
    ...own(...hosts),
    ...flags,
  ])
  child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (data) => (output += String(data)))
  await until(() => output.includes('completed initialization') || child?.exitCode !== null)
}

async function end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  child.kill(signal)
  await once(child, 'exit')
}

const variables = (pid: number): string[] =>
  readFileSync(`/proc/${pid}/environ`, 'utf8')
    .split('\0')
    .filter((one) => one.startsWith('LISTEN_'))

const openFiles = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`))

test('-H fd:// serves on every socket that was passed, and no program that berthd starts has them', async () => {
  await startActivated(['fd://'])
  assert.equal(await api().ping(), true, output)
  const overTcp = daemon.sandbox.enter([berth, '-H', 'tcp://127.0.0.1:2399', 'version', '--format', '{{.Server.Os}}'])
  const { stdout, stderr } = await command(overTcp.file, overTcp.args)
  assert.equal(stdout.trim(), 'linux', stderr)
  assert.match(output, /the API is open to everyone who reaches this address/)
  await api().json('POST', '/containers/create?name=box', { Image: 'busybox', Cmd: ['sleep', '100000'] })
  await api().json('POST', '/containers/box/start')
  const passed = [3, 4].map((fd) => readlinkSync(`/proc/${child?.pid}/fd/${fd}`))
  for (const supervisor of daemon.supervisors()) {
    assert.deepEqual(variables(supervisor), [])
    assert.deepEqual(
      openFiles(supervisor).filter((file) => passed.includes(file)),
      [],
    )
  }
  await end()
  assert.equal(existsSync(socketPath()), true, 'the socket is the service manager’s')
})

test('-H fd:// is kept where berthd goes to the mounts of its containers', async () => {
  await startActivated(['fd://'], ['unshare', '--mount', '--propagation', 'private'])
  assert.match(output, /joins the mount namespace/)
  assert.equal(await api().ping(), true, output)
  await api().json('DELETE', '/containers/box?force=1')
})

test('-H fd://3 serves on that socket only', async () => {
  await startActivated(['fd://3'])
  assert.equal(await api().ping(), true, output)
  const overTcp = daemon.sandbox.enter([berth, '-H', 'tcp://127.0.0.1:2399', 'version'])
  assert.equal((await command(overTcp.file, overTcp.args)).code, 1)
})

test('-H fd:// with --tlsverify asks those who come over TCP for a certificate, and nobody else', async () => {
  using certificates = new Certificates()
  certificates.usual()
  await startActivated(['fd://'], [], certificates.daemonFlags())
  assert.equal(await api().ping(), true, output)
  assert.doesNotMatch(output, /the API is open to everyone/)
  const files = (client: readonly string[]) => ['--tlsverify', '--tlscacert', certificates.at('ca.pem'), ...client]
  const ask = (...flags: string[]) => {
    const { file, args } = daemon.sandbox.enter([
      berth,
      '-H',
      'tcp://127.0.0.1:2399',
      ...flags,
      'version',
      '-f',
      '{{.Server.Os}}',
    ])
    return command(file, args)
  }
  const known = ['--tlscert', certificates.at('client.pem'), '--tlskey', certificates.at('client-key.pem')]
  const { stdout, stderr } = await ask(...files(known))
  assert.equal(stdout.trim(), 'linux', stderr)
  for (const unknown of [await ask(...files([])), await ask()]) assert.equal(unknown.code, 1, unknown.stdout)
})

test('-H fd:// without sockets is refused in dockerd’s words, and --validate asks for none', async () => {
  await end()
  const run = (...more: string[]) => {
    const { file, args } = daemon.sandbox.enter([...own('fd://'), ...more])
    return command(file, args, { timeoutMs: 20_000 })
  }
  const refused = await run()
  assert.equal(refused.code, 1)
  const words = 'no sockets found via socket activation: make sure the service was started by systemd'
  assert.equal(refused.stderr.trim(), `berth daemon: ${words}`)
  assert.equal((await run('--validate')).stdout.trim(), 'configuration OK')
  await daemon.start()
})
