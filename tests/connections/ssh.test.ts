import assert from 'node:assert/strict'
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, describe, test } from 'node:test'
import { Cli, command, type CommandResult, until, useEngine } from '@berth/testing'

/** An engine behind a real sshd, in the network of the engine, and both command lines as its clients. */
const folder = mkdtempSync(join(tmpdir(), 'bs-'))
const at = (name: string): string => join(folder, name)
const port = 2222
const user = 'root'
let sshd: ChildProcess | undefined

// Before the engine's own: it looks for what runs beside it.
after(async () => {
  for (const name of readdirSync(at('control'))) {
    await command('/usr/bin/ssh', ['-o', `ControlPath=${join(at('control'), name)}`, '-O', 'exit', 'nobody'])
  }
  sshd?.kill()
  if (sshd) await once(sshd, 'exit')
  rmSync(folder, { recursive: true })
})
const engine = useEngine()

beforeEach(async () => {
  if (sshd) return
  writeKeys()
  writeServer()
  writeClient()
  const inside = engine.daemon!.sandbox.enter([
    'sh',
    '-c',
    `mkdir -p /run/sshd; exec /usr/sbin/sshd -D -f ${at('sshd')} -E ${at('log')}`,
  ])
  sshd = spawn(inside.file, inside.args, { env: inside.env, stdio: 'ignore' })
  await until(() => log().includes('Server listening'))
})

const log = (): string => {
  try {
    return readFileSync(at('log'), 'utf8')
  } catch {
    return ''
  }
}
const logins = (): number => log().split('Accepted publickey').length - 1

function writeKeys(): void {
  for (const name of ['host', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)])
  copyFileSync(at('user.pub'), at('authorized'))
}

/** What is found over there: docker's program and ours, both told where the engine is. */
function writeServer(): void {
  mkdirSync(at('remote'))
  for (const program of ['docker', 'berth'] as const) {
    const env = `DOCKER_HOST=${engine.host} BERTH_HOST=${engine.host}`
    writeProgram(join(at('remote'), program), `${env} exec ${new Cli(program, engine).file} "$@"`)
  }
  writeFileSync(
    at('sshd'),
    `ListenAddress 127.0.0.1:${port}\nHostKey ${at('host')}\nAuthorizedKeysFile ${at('authorized')}\nUsePAM no\n` +
      `StrictModes no\nPidFile none\nPermitRootLogin yes\nLogLevel VERBOSE\nSetEnv PATH=${at('remote')}:/usr/bin:/bin\n`,
  )
}

/** ssh itself, with a configuration of our own: it takes the user's folder from nowhere but the passwd file. */
function writeClient(): void {
  mkdirSync(at('local'))
  mkdirSync(at('control'), { mode: 0o700 })
  writeFileSync(
    at('config'),
    `IdentityFile ${at('user')}\nStrictHostKeyChecking no\nUserKnownHostsFile ${at('known')}\nLogLevel ERROR\n`,
  )
  writeProgram(join(at('local'), 'ssh'), `exec /usr/bin/ssh -F ${at('config')} "$@"`)
}

function writeProgram(path: string, line: string): void {
  writeFileSync(path, `#!/bin/sh\n${line}\n`)
  chmodSync(path, 0o755)
}

for (const program of ['docker', 'berth'] as const) {
  const cli = new Cli(program, engine)
  const host = `ssh://${user}@127.0.0.1:${port}`
  const run = (args: readonly string[], input = ''): Promise<CommandResult> => {
    const inside = engine.daemon!.sandbox.enter([cli.file, ...args])
    const env = {
      PATH: `${at('local')}:${process.env['PATH']}`,
      XDG_RUNTIME_DIR: at('control'),
      DOCKER_CONFIG: at(program),
      BERTH_CONFIG: at(program),
      DOCKER_HOST: '',
      BERTH_HOST: '',
    }
    return command(inside.file, inside.args, { env, input })
  }

  describe(program, () => {
    test('requests, hijacked streams and uploads go through ssh', async () => {
      const version = await run(['-H', host, 'version', '-f', '{{.Server.Os}}'])
      assert.deepEqual([version.code, version.stdout], [0, 'linux\n'], version.stderr)
      const echoed = await run(['-H', host, 'run', '-i', '--rm', 'busybox', 'cat'], 'through ssh')
      assert.deepEqual(echoed, { code: 0, stdout: 'through ssh', stderr: '' })
      const big = 'x'.repeat(5_000_000)
      const counted = await run(['-H', host, 'run', '-i', '--rm', 'busybox', 'wc', '-c'], big)
      assert.deepEqual([counted.code, counted.stdout.trim()], [0, String(big.length)], counted.stderr)
      const failed = await run(['-H', host, 'run', '--rm', 'busybox', 'sh', '-c', 'echo out; echo err >&2; exit 3'])
      assert.deepEqual(failed, { code: 3, stdout: 'out\n', stderr: 'err\n' })
      writeFileSync(at('file'), 'copied')
      await cli.ok('run', '-d', '--name', `${program}-cp`, 'busybox', 'sleep', '1000')
      assert.equal((await run(['-H', host, 'cp', at('file'), `${program}-cp:/file`])).code, 0)
      assert.equal(await cli.ok('exec', `${program}-cp`, 'cat', '/file'), 'copied')
    })

    test('a context with an ssh host', async () => {
      assert.equal((await run(['context', 'create', 'far', '--docker', `host=${host}`])).code, 0)
      const { code, stdout, stderr } = await run(['--context', 'far', 'ps', '--format', '{{.Image}}'])
      assert.deepEqual([code, stdout.split('\n')[0]], [0, 'busybox'], stderr)
    })

    test('what ssh says of a failure is passed on', async () => {
      const { code, stderr } = await run(['-H', `ssh://${user}@127.0.0.1:${port + 1}`, 'ps'])
      assert.equal(code, 1)
      assert.match(stderr, /Connection refused/)
    })
  })
}

test('berth run --use-api-socket mounts the socket that the ssh host names', async () => {
  const cli = new Cli('berth', engine)
  const host = `ssh://${user}@127.0.0.1:${port}${engine.host.slice('unix://'.length)}`
  const script = 'test -S /var/run/docker.sock && echo socket'
  const args = ['-H', host, 'run', '--rm', '--use-api-socket', 'busybox', 'sh', '-c', script]
  const inside = engine.daemon!.sandbox.enter([cli.file, ...args])
  const env = {
    PATH: `${at('local')}:${process.env['PATH']}`,
    XDG_RUNTIME_DIR: at('control'),
    BERTH_CONFIG: at('berth'),
  }
  assert.deepEqual(await command(inside.file, inside.args, { env }), { code: 0, stdout: 'socket\n', stderr: '' })
})

test('berth: several commands share one connection, one after the other and side by side', async () => {
  const cli = new Cli('berth', engine)
  const env = { PATH: `${at('local')}:${process.env['PATH']}`, XDG_RUNTIME_DIR: at('control'), BERTH_HOST: '' }
  const ps = (): Promise<CommandResult> => {
    const inside = engine.daemon!.sandbox.enter([cli.file, '-H', `ssh://${user}@localhost:${port}`, 'ps', '-q'])
    return command(inside.file, inside.args, { env })
  }
  const before = logins()
  assert.equal((await ps()).code, 0)
  for (const { code } of await Promise.all([ps(), ps(), ps()])) assert.equal(code, 0)
  assert.equal((await ps()).code, 0)
  assert.equal(logins() - before, 1)
})
