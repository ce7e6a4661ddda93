import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { type BerthRegistry, Cli, startBerthRegistry, useEngine } from '@berth/testing'

let registry: BerthRegistry
after(() => registry?.[Symbol.asyncDispose]())
const engine = useEngine({ images: ['busybox'] })
const docker = new Cli('docker', engine)
const berth = new Cli('berth', engine)
const configFile = (): string => join(engine.folder, 'config.json')

// made late: the sandbox is there when the engine runs
beforeEach(async () => {
  // The key is kept there, not in the home of who runs the test.
  process.env['XDG_DATA_HOME'] = join(engine.folder, 'data')
  registry ??= await startBerthRegistry(engine.daemon!.sandbox, { port: 5000, users: { ann: 'secret' } })
  rmSync(configFile(), { force: true })
  rmSync(join(engine.folder, 'berth-credentials.json'), { force: true })
})

const logIn = (args: readonly string[], input = '') => berth.run(['login', ...args], { input })

test('docker login, push and pull work against our registry by our engine', async () => {
  const { host } = registry
  await docker.ok('tag', 'busybox:latest', `${host}/docker/busybox:1`)
  assert.match(await docker.fails('push', `${host}/docker/busybox:1`), /no basic auth credentials/)
  // Without a question: a script has nobody to answer it.
  assert.match(
    await docker.fails('pull', `${host}/docker/busybox:1`),
    /^Error response from daemon: .*: no basic auth credentials$/,
  )
  const { code, stderr } = await docker.run(['login', '-u', 'ann', '--password-stdin', host], { input: 'secret\n' })
  assert.equal(code, 0, stderr)
  assert.match(await docker.ok('push', `${host}/docker/busybox:1`), /1: digest: sha256:[0-9a-f]{64} size: \d+/)
  await docker.ok('rmi', `${host}/docker/busybox:1`)
  assert.match(await docker.ok('pull', `${host}/docker/busybox:1`), /Status: Downloaded newer image/)
  assert.equal(
    await docker.ok('run', '--rm', `${host}/docker/busybox:1`, 'echo', 'from our registry'),
    'from our registry',
  )
})

test('berth login keeps nothing in plain text, and logout forgets it', async () => {
  const { host } = registry
  const { code, stdout, stderr } = await logIn(['-u', 'ann', '--password-stdin', host], 'secret\n')
  assert.deepEqual([code, stdout, stderr], [0, 'Login Succeeded\n', ''])
  const config = readFileSync(configFile(), 'utf8')
  assert.deepEqual(JSON.parse(config), { auths: { [host]: {} } })
  const again = await logIn([host])
  assert.deepEqual([again.code, again.stdout], [0, 'Login Succeeded\n'])
  assert.match(again.stderr, /^Authenticating with existing credentials\.\.\. \[Username: ann\]\n/)
  assert.equal(await berth.ok('logout', host), `Removing login credentials for ${host}`)
  assert.deepEqual(JSON.parse(readFileSync(configFile(), 'utf8')), { auths: {} })
  assert.match((await logIn([host])).stderr, /Cannot perform an interactive login from a non TTY device/)
})

test('berth login uses what docker login wrote', async () => {
  const { host } = registry
  await docker.run(['login', '-u', 'ann', '--password-stdin', host], { input: 'secret\n' })
  assert.match(readFileSync(configFile(), 'utf8'), /"auth"/)
  assert.deepEqual((await logIn([host])).code, 0)
  assert.doesNotMatch(readFileSync(configFile(), 'utf8'), /"auth":/)
})

test('berth login keeps what is in config.json besides', async () => {
  writeFileSync(configFile(), JSON.stringify({ psFormat: '{{.ID}}', auths: { other: { auth: btoa('a:b') } } }))
  await logIn(['-u', 'ann', '--password-stdin', registry.host], 'secret')
  assert.deepEqual(JSON.parse(readFileSync(configFile(), 'utf8')), {
    psFormat: '{{.ID}}',
    auths: { other: { auth: btoa('a:b') }, [registry.host]: {} },
  })
})

test('login fails in the same words as docker’s', async () => {
  const { host } = registry
  for (const args of [
    ['-u', 'ann', '-p', 'wrong', host],
    ['-u', 'ann', '-p', 'x', '--password-stdin', host],
    ['--password-stdin', host],
    ['-u', '', host],
    ['-u', 'ann', host],
    [host],
  ]) {
    const [theirs, ours] = [await docker.run(['login', ...args], { input: '' }), await logIn(args)]
    const words = (text: string) => text.replaceAll('docker', 'berth')
    assert.deepEqual(
      [ours.code, ours.stdout, ours.stderr],
      [theirs.code, theirs.stdout, words(theirs.stderr)],
      args.join(' '),
    )
  }
})

test('berth login asks on a terminal, and shows no password', async () => {
  const { stdout } = await berth.onTerminal(['login', '-u', 'ann', registry.host], {
    prompt: 'Password: ',
    input: 'secret\n',
  })
  assert.match(stdout, /Password: \r?\nLogin Succeeded/)
  const named = await berth.onTerminal(['login', '-p', 'secret', registry.host], {
    prompt: 'Username: ',
    input: 'ann\n',
  })
  assert.match(named.stdout, /Username: ann\r?\nLogin Succeeded/)
})
