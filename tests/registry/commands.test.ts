import assert from 'node:assert/strict'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { Cli, command, type DockerRegistry, layerOf, startDockerRegistry, useEngine } from '@berth/testing'

let registry: DockerRegistry
let locked: DockerRegistry
after(async () => {
  await registry?.[Symbol.asyncDispose]()
  await locked?.[Symbol.asyncDispose]()
})
const engine = useEngine({ images: ['busybox'] })
const clis = [new Cli('docker', engine), new Cli('berth', engine)] as const
const [docker, berth] = clis

beforeEach(async () => {
  if (registry) return
  registry = await startDockerRegistry(engine.daemon!.sandbox)
  locked = await startDockerRegistry(engine.daemon!.sandbox, { port: 5001, users: { me: 'secret' } })
  const layers = ['a', 'b'].map((name) => layerOf([{ path: name, content: name.repeat(5000) }]))
  for (const tag of ['latest', '1', '2']) await registry.add('team/it', { reference: `x:${tag}`, layers, config: {} })
})

/** Everything that a command says and how it ends; layers side by side may overtake each other. */
async function said(cli: Cli, args: readonly string[]): Promise<object> {
  const { code, stdout, stderr } = await command(cli.file, args, { env: cli.env })
  return { code, stdout: stdout.split('\n').toSorted(), stderr: stderr.replaceAll(/^berth:|^docker:/gm, '') }
}

const name = (): string => `${registry.host}/team/it`

async function same(args: readonly string[], forget: readonly string[] = []): Promise<void> {
  const answers = []
  for (const cli of clis) {
    await command(docker.file, ['rmi', ...forget], { env: docker.env })
    answers.push(await said(cli, args))
  }
  assert.deepEqual(answers[1], answers[0], args.join(' '))
}

test('berth pull says what docker pull says', async () => {
  const all = [`${name()}:latest`, `${name()}:1`, `${name()}:2`]
  await same(['pull', name()], all)
  await same(['pull', name()])
  await same(['pull', `${name()}:1`], all)
  await same(['pull', '-q', `${name()}:1`], all)
  await same(['pull', '-a', name()], all)
  await same(['image', 'pull', '-a', '-q', name()])
  await same(['pull', `${name()}@${registry.manifest('team/it', '1').digest}`])
  await same(['pull', `${name()}:none`])
  await same(['pull', '-a', `${name()}:1`])
  await same(['pull', 'BAD'])
  await same(['pull', '127.0.0.1:1/nobody'])
})

test('berth push says what docker push says', async () => {
  const target = `${registry.host}/pushed/it`
  for (const tag of ['latest', '1']) await docker.ok('tag', 'busybox', `${target}:${tag}`)
  await docker.ok('push', target)
  await same(['push', target])
  await same(['push', '-q', `${target}:1`])
  await same(['push', '-a', target])
  await same(['push', '-a', `${target}:1`])
  await same(['push', `${target}:none`])
  await same(['push', `${registry.host}/pushed/none`])
  await same(['push', `${target}@sha256:${'0'.repeat(64)}`])
  await same(['push', '--platform', 'linux/s390x', `${target}:1`])
})

test('berth pull draws a bar for each layer on a terminal', async () => {
  await command(docker.file, ['rmi', `${name()}:latest`, `${name()}:1`, `${name()}:2`], { env: docker.env })
  const { code, stdout } = await berth.onTerminal(['pull', name()], { columns: 160 })
  assert.equal(code, 0, stdout)
  assert.match(stdout, /[0-9a-f]{12}: Downloading \[=*> *\] +[\d.]+k?B\/[\d.]+k?B/)
  assert.ok(
    stdout.split('\u001B[2K\r').some((line) => /^[0-9a-f]{12}: Pull complete\r/.test(line)),
    stdout,
  )
})

test('berth run pulls what is missing, or never, or always', async () => {
  const target = `${registry.host}/pushed/run:1`
  await docker.ok('tag', 'busybox', target)
  await docker.ok('push', '-q', target)
  await docker.ok('rmi', target)
  const run = (...args: string[]) =>
    command(berth.file, ['run', '--rm', ...args, target, 'echo', 'ran'], { env: berth.env })
  const never = await run('--pull', 'never')
  assert.equal(never.code, 125)
  assert.match(never.stderr, /No such image: 127\.0\.0\.1:5000\/pushed\/run:1/)
  const missing = await run()
  assert.deepEqual([missing.code, missing.stdout], [0, 'ran\n'])
  assert.match(missing.stderr, /^Unable to find image '.*' locally\n1: Pulling from pushed\/run\n/)
  assert.equal((await run()).stderr, '')
  assert.match(
    (await run('--pull', 'always')).stderr,
    /^1: Pulling from pushed\/run\nDigest: .*\nStatus: Image is up to date/,
  )
})

test('berth pull and build take what is public without the credential helper, and tell of it once', async () => {
  const config = join(engine.folder, 'config.json')
  writeFileSync(config, '{"credsStore":"absent"}')
  const context = join(engine.folder, 'public')
  mkdirSync(context)
  writeFileSync(join(context, 'Dockerfile'), `FROM ${name()}:1 AS one\nFROM ${name()}:2\nCOPY --from=one / /one/\n`)
  try {
    for (const args of [
      ['pull', `${name()}:1`],
      ['build', '-t', 'from-public', context],
    ]) {
      for (const tag of ['1', '2']) await command(docker.file, ['rmi', `${name()}:${tag}`], { env: docker.env })
      const { code, stderr } = await command(berth.file, args, { env: berth.env })
      assert.equal(code, 0, stderr)
      const told = stderr
        .split('\n')
        .filter((line) => line.startsWith('WARNING: error getting credentials - err: exec: '))
      assert.equal(told.length, 1, stderr)
    }
  } finally {
    rmSync(config)
  }
})

test('berth login lets pull, push and run in where nobody else gets', async () => {
  const target = `${locked.host}/private/it:1`
  await docker.ok('tag', 'busybox', target)
  assert.match(await berth.fails('push', target), /no basic auth credentials/)
  const login = ['login', '-u', 'me', '--password-stdin', locked.host]
  assert.match((await command(berth.file, login, { env: berth.env, input: 'secret' })).stdout, /Login Succeeded/)
  await berth.ok('push', target)
  await docker.ok('rmi', target)
  await berth.ok('pull', target)
  await docker.ok('rmi', target)
  assert.equal(await berth.ok('run', '--rm', '-q', target, 'echo', 'in'), 'in')
  await berth.ok('logout', locked.host)
  assert.match(await berth.fails('pull', target), /no basic auth credentials/)
})
