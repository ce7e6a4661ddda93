import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname, join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadFixture, readInventory, restored, startDaemon, type TestDaemon, until } from '@berth/testing'

interface State {
  readonly Status: string
  readonly Running: boolean
  readonly Pid: number
  readonly ExitCode: number
}

let daemon: TestDaemon
let empty: string[]

const inside = (...command: string[]): string => {
  const { file, args, env } = daemon.sandbox.enter(command)
  return execFileSync(file, args, { env, encoding: 'utf8' })
}

before(async () => {
  daemon = await startDaemon({ prepare: (sandbox, folder) => bootId(sandbox.enter, folder) })
  await loadFixture(daemon.api, 'busybox')
  await daemon.kill('SIGTERM')
  await daemon.start()
  empty = readInventory(daemon)
})
after(() => daemon?.[Symbol.asyncDispose]())
afterEach(async () => {
  const all = (await daemon.api.json('GET', '/containers/json?all=1')) as { Id: string }[]
  for (const { Id } of all) await daemon.api.request('DELETE', `/containers/${Id}?force=1`)
  await restored(daemon, empty)
})

/** The sandbox's own boot id: another one is another boot. */
function bootId(enter: TestDaemon['sandbox']['enter'], folder: string): void {
  const path = join(folder, 'boot_id')
  writeFileSync(path, `${randomUUID()}\n`)
  const { file, args, env } = enter(['mount', '--bind', path, '/proc/sys/kernel/random/boot_id'])
  execFileSync(file, args, { env })
}

const stateOf = async (name: string): Promise<State> =>
  ((await daemon.api.json('GET', `/containers/${name}/json`)) as { State: State }).State

async function run(name: string, hostConfig: object = {}, script = 'exec sleep 100000'): Promise<State> {
  const config = { Image: 'busybox', Cmd: ['sh', '-c', script], HostConfig: hostConfig }
  await daemon.api.json('POST', `/containers/create?name=${name}`, config)
  await daemon.api.json('POST', `/containers/${name}/start`)
  return stateOf(name)
}

/** One of each restart policy, and one that removes itself. */
async function runAll(): Promise<State[]> {
  return await Promise.all([
    run('plain'),
    run('always', { RestartPolicy: { Name: 'always' } }),
    run('failing', { RestartPolicy: { Name: 'on-failure', MaximumRetryCount: 3 } }),
    run('brief', { AutoRemove: true }),
  ])
}

/** What all of them must be once the engine has come to terms with their loss. */
async function areLost(before: readonly State[]): Promise<void> {
  await until(async () => (await stateOf('plain')).Status === 'exited')
  assert.equal((await stateOf('plain')).ExitCode, 255)
  for (const name of ['always', 'failing']) {
    const isNew = ({ Running, Pid }: State) => Running && Pid > 0 && before.every((state) => state.Pid !== Pid)
    await until(async () => isNew(await stateOf(name)))
  }
  await until(async () => (await daemon.api.request('GET', '/containers/brief/json')).status === 404)
  for (const { Pid } of before) await until(() => !isAlive(Pid))
  await daemon.api.json('POST', '/containers/plain/start')
  assert.equal((await stateOf('plain')).Running, true)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function killSupervisor(): void {
  const supervisors = daemon.supervisors()
  assert.equal(supervisors.length, 1)
  process.kill(supervisors[0]!, 'SIGKILL')
}

test('the death of the supervisor ends its containers, and their restart policies hold', async () => {
  const before = await runAll()
  killSupervisor()
  await areLost(before)
})

test('attached and waiting clients hear of the death of the supervisor', async () => {
  await run('plain')
  const { socket } = await daemon.api.hijack('POST', '/containers/plain/attach?stream=1&stdout=1&stderr=1')
  const ended = new Promise<void>((resolve) => socket.resume().once('close', () => resolve()))
  const waiting = daemon.api.json('POST', '/containers/plain/wait?condition=next-exit') as Promise<{
    StatusCode: number
  }>
  waiting.catch(() => {})
  await daemon.api.ping()
  killSupervisor()
  await ended
  assert.equal((await waiting).StatusCode, 255)
})

test('berthd and the supervisor killed at once: the successor ends what is left, and restart policies hold', async () => {
  const before = await runAll()
  killSupervisor()
  await daemon.kill('SIGKILL')
  await daemon.start()
  await areLost(before)
})

test('a reboot: the run root is empty, the boot another, and restart policies hold', async () => {
  const before = await runAll()
  killSupervisor()
  await daemon.kill('SIGKILL')
  for (const { Pid } of before) process.kill(Pid, 'SIGKILL')
  for (const { Pid } of before) await until(() => !isAlive(Pid))
  const folder = dirname(daemon.runRoot)
  for (const target of mountsBelow(folder)) inside('umount', '-l', target)
  inside('rm', '-rf', daemon.runRoot)
  inside(
    'find',
    '/sys/fs/cgroup',
    '-depth',
    '-path',
    `*/${daemon.sandbox.name}/*`,
    '-type',
    'd',
    '-exec',
    'rmdir',
    '{}',
    ';',
  )
  inside('nft', 'flush', 'ruleset')
  inside('ip', 'link', 'delete', 'berth0')
  writeFileSync(join(folder, 'boot_id'), `${randomUUID()}\n`)
  await daemon.start()
  await areLost(before)
})

/** Innermost first. */
function mountsBelow(folder: string): string[] {
  const targets = inside('cat', '/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
  return targets.filter((target) => target.startsWith(`${folder}/`)).toReversed()
}

const inOtherMounts = ['unshare', '--mount', '--propagation', 'private']
/** As its log has it: one in other mounts is not in the sandbox's. */
function newestSupervisor(): number {
  const lines = readFileSync(join(daemon.runRoot, 'supervisor.log'), 'utf8').trimEnd().split('\n')
  return (JSON.parse(lines.at(-1)!) as { pid: number }).pid
}

const mountsOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/mnt`)

test('berthd that is started in other mounts than those of the containers goes there', async () => {
  await run('plain')
  await daemon.kill('SIGKILL')
  await daemon.start({}, inOtherMounts)
  assert.equal(mountsOf(daemon.pid), mountsOf(daemon.supervisors()[0]!))
  assert.equal((await run('second')).Running, true)
  await daemon.api.json('POST', '/containers/plain/restart?t=0')
  assert.match(daemon.log(), /joins the mount namespace of the containers that run already/)
})

const repository = fileURLToPath(new URL('../..', import.meta.url))
/** Run in mounts of their own; what follows is the command that starts berthd. */
const strangePlaces = {
  '/mnt/here is not in its mounts': 'mount -t tmpfs none /mnt && mkdir /mnt/here && cd /mnt/here && exec "$@"',
  '/bin/node is not in its mounts': `mount -t tmpfs none /mnt && mkdir /mnt/berth && mount --bind ${repository} /mnt/berth &&
    shift && exec /mnt/berth/bin/berth "$@"`,
}

for (const [obstacle, script] of Object.entries(strangePlaces)) {
  test(`berthd that cannot go to the mounts of its containers says that ${obstacle}, and serves`, async () => {
    await run('plain')
    await daemon.kill('SIGKILL')
    await daemon.start({}, [...inOtherMounts, 'sh', '-c', script, 'sh'])
    assert.notEqual(mountsOf(daemon.pid), mountsOf(daemon.supervisors()[0]!))
    assert.match(daemon.log(), /level=error msg="cannot join the mount namespace of the containers[^\n]*/)
    assert.ok(daemon.log().includes(obstacle))
    await daemon.kill('SIGKILL')
    await daemon.start()
    await daemon.api.json('DELETE', '/containers/plain?force=1')
  })
}

test('berthd that goes to the mounts of its containers takes relative paths as of the same directory there', async () => {
  await run('plain')
  await daemon.kill('SIGKILL')
  const folder = dirname(daemon.runRoot)
  const script = 'cd "$0" && exec "$@" --pidfile relative.pid'
  await daemon.start({}, [...inOtherMounts, 'sh', '-c', script, folder])
  assert.equal(mountsOf(daemon.pid), mountsOf(daemon.supervisors()[0]!))
  await until(() => existsSync(join(folder, 'relative.pid')))
  await daemon.api.json('DELETE', '/containers/plain?force=1')
  await daemon.kill('SIGTERM')
  await daemon.start()
})

test('berthd that is started in other mounts than those of a supervisor without containers stays there', async () => {
  await daemon.kill('SIGKILL')
  const idle = newestSupervisor()
  await daemon.start({}, inOtherMounts)
  await until(() => !isAlive(idle))
  assert.equal(mountsOf(newestSupervisor()), mountsOf(daemon.pid))
  assert.equal((await run('plain')).Running, true)
  await daemon.api.json('DELETE', '/containers/plain?force=1')
  await daemon.kill('SIGTERM')
  await daemon.start()
})

test('the supervisor leaves no socket when it ends with berthd', async () => {
  const socket = join(daemon.runRoot, 'supervisor.sock')
  assert.ok(existsSync(socket))
  await daemon.kill('SIGTERM')
  await until(() => daemon.supervisors().length === 0)
  assert.equal(existsSync(socket), false)
  await daemon.start()
})

/** A supervisor of another protocol, which has containers; `asked` takes what it is asked. */
function strangeSupervisor(runRoot: string, asked: string[]): Server {
  const welcome = { protocol: 999, pid: process.pid, build: 'another' }
  mkdirSync(runRoot, { recursive: true, mode: 0o700 })
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\n').filter(Boolean)) {
        const { role, id, op } = JSON.parse(line) as { role?: string; id?: number; op?: string }
        asked.push(role ?? op ?? '')
        const failure = { kind: 'conflict', message: '3 containers are supervised' }
        socket.write(`${JSON.stringify(role ? welcome : { id, failure })}\n`)
      }
    })
  })
  return server.listen(join(runRoot, 'supervisor.sock'))
}

test('berthd refuses to start beside a supervisor of another protocol that has containers, and does nothing to it', async () => {
  const asked: string[] = []
  let server: Server | undefined
  const prepare = (_: unknown, folder: string) => (server = strangeSupervisor(join(folder, 'run'), asked))
  try {
    await assert.rejects(startDaemon({ prepare }), /containers run under a supervisor of protocol 999, not \d+/)
  } finally {
    server?.close()
  }
  // It was asked to become the present program, which its containers forbid; not to end.
  assert.deepEqual(asked, ['control', 'control', 'replace', 'control'])
})
