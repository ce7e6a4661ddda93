// CVE-2024-21626 and kin: no descriptor, socket or file of the engine is within a container's or another user's reach.
import { Cli, command, until, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { onHost, tryRun } from './probe.ts'

const engine = useEngine()
const cli = new Cli('docker', engine)
const canary = mkdtempSync(join(tmpdir(), 'berth-canary-'))
writeFileSync(join(canary, 'secret'), 'what-only-the-host-knows')
after(() => rmSync(canary, { recursive: true }))

let started: Promise<string> | undefined
/** The id of a container that runs until the end. */
const resident = (): Promise<string> => (started ??= cli.ok('run', '-d', '--init=false', 'busybox', 'sleep', '1000'))

const listing = ['ls', '/proc/self/fd']
const onlyStdio = '0 1 2 3' // and the listing's own

test('a program that is run or executed has its three streams open and nothing else', async () => {
  const id = await resident()
  const fds = async (...args: string[]) => (await cli.ok(...args, ...listing)).split(/\s+/).join(' ')
  assert.equal(await fds('run', '--rm', 'busybox'), onlyStdio)
  assert.equal(await fds('run', '--rm', '-i', 'busybox'), onlyStdio)
  assert.equal(await fds('exec', id), onlyStdio)
  assert.equal(await fds('exec', '-i', id), onlyStdio)
  for (const args of [
    ['run', '--rm', '-t', 'busybox'],
    ['exec', '-t', id],
  ]) {
    const { stdout } = await cli.onTerminal([...args, ...listing])
    assert.equal(stripVTControlCharacters(stdout).trim().split(/\s+/).join(' '), onlyStdio)
  }
})

const climb = `cat ${'../'.repeat(20)}${join(canary, 'secret').slice(1)} ${'../'.repeat(20)}etc/shadow; ls -d ../../..${canary}`

async function inParallel(numbers: readonly number[], work: (n: number) => Promise<void>): Promise<void> {
  const queue = [...numbers]
  const worker = async (): Promise<void> => {
    for (let n = queue.shift(); n !== undefined; n = queue.shift()) await work(n)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}

const numbers = Array.from({ length: 198 }, (_, index) => index + 3)

test('no working directory /proc/self/fd/N leads a new container to the host', async () => {
  await inParallel(numbers, async (n) => {
    const body = { Image: 'busybox', Cmd: ['sh', '-c', climb], WorkingDir: `/proc/self/fd/${n}` }
    const { output } = await tryRun(engine, body)
    assert.doesNotMatch(output, /what-only|root:|berth-canary-\w+$/m, `fd ${n}`)
  })
})

test('no working directory /proc/self/fd/N leads an exec to the host', async () => {
  const id = await resident()
  await inParallel(numbers, async (n) => {
    const wanted = { Cmd: ['sh', '-c', climb], WorkingDir: `/proc/self/fd/${n}`, AttachStdout: true }
    const { Id } = (await engine.api.json('POST', `/containers/${id}/exec`, wanted)) as { Id: string }
    const { text } = await engine.api.request('POST', `/exec/${Id}/start`, { Detach: false })
    assert.doesNotMatch(text, /what-only|root:|berth-canary-\w+$/m, `fd ${n}`)
  })
})

/** Every descriptor but the streams that a program started by `pid` would inherit (proc_pid_fdinfo(5)). */
function inheritable(pid: number): string[] {
  const open = readdirSync(`/proc/${pid}/fd`).filter((fd) => Number(fd) > 2)
  return open.filter((fd) => {
    try {
      const flags = /^flags:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
      return (Number.parseInt(flags, 8) & 0o2000000) === 0
    } catch {
      return false // closed meanwhile
    }
  })
}

test('berthd and the supervisor hold no descriptor that a program they start would inherit', async (t) => {
  const { daemon } = engine
  if (!daemon) return t.skip('another engine’s processes')
  const id = await resident()
  const busy = ['run', '--name', engine.name(), '-t', 'busybox', 'sleep', '1000']
  const clients = [cli.start('attach', id), cli.start('logs', '-f', id), cli.start(...busy)]
  await until(async () => (await cli.ok('ps', '-q')).split('\n').length === 2)
  assert.equal(daemon.supervisors().length, 1)
  for (const pid of [daemon.pid, ...daemon.supervisors()]) assert.deepEqual(inheritable(pid), [], `process ${pid}`)
  for (const client of clients) client.kill('SIGKILL')
  await cli.ok('rm', '-f', busy[2]!)
})

test('neither the engine nor a container has an abstract socket', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s network')
  assert.doesNotMatch(await onHost(engine, 'cat', '/proc/net/unix'), /@/)
  for (const network of ['bridge', 'none', 'host']) {
    assert.doesNotMatch(await cli.ok('run', '--rm', '--net', network, 'busybox', 'cat', '/proc/net/unix'), /@/)
  }
})

test('another user of the host can read, write or enter nothing of the engine', async (t) => {
  const { daemon } = engine
  if (!daemon) return t.skip('another engine’s folders')
  chmodSync(dirname(daemon.dataRoot), 0o755) // the harness hides all of it
  const paths = await onHost(engine, 'find', daemon.dataRoot, daemon.runRoot, daemon.host.slice('unix://'.length))
  const script = `while read -r path; do
    { test -r "$path" || test -w "$path"; } && echo "$path"; done; true`
  const nobody = ['--reuid=65534', '--regid=65534', '--clear-groups']
  const { file, args, env } = daemon.sandbox.enter(['setpriv', ...nobody, 'sh', '-c', script])
  const { stdout } = await command(file, args, { input: paths, env: env as Record<string, string> })
  assert.deepEqual(stdout.split('\n').filter(Boolean), [])
})

test('files that hold what containers say, do and are told are their owner’s alone', async (t) => {
  const { daemon } = engine
  if (!daemon) return t.skip('another engine’s folders')
  await resident()
  const files = (await onHost(engine, 'find', daemon.dataRoot, daemon.runRoot, '-type', 'f')).split('\n')
  // crun's own log is in a folder that is its owner's alone
  const isPrivate = /-json\.log$|supervisor\.log$|\.json$|state\.db/
  const kept = files.filter((path) => isPrivate.test(path) && !path.includes('/snapshots/'))
  assert.ok(kept.some((path) => path.endsWith('config.json')) && kept.some((path) => path.endsWith('state.db')))
  const open = kept.filter((path) => (statSync(path).mode & 0o027) !== 0)
  assert.deepEqual(open, [])
  assert.equal(statSync(daemon.host.slice('unix://'.length)).mode & 0o777, 0o660)
})
