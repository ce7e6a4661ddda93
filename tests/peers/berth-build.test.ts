import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command, type CommandResult, readInventory, until } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'

/** `berth build` beside the real `docker buildx build`: the same command lines, the same engine. */
const berth = process.env['BERTH_CLI'] ?? fileURLToPath(new URL('../../bin/berth', import.meta.url))
const repeatable = { BUILDX_NO_DEFAULT_ATTESTATIONS: '1', SOURCE_DATE_EPOCH: '0' }

const { daemon, client } = await startBuildx()

const files = {
  Dockerfile: [
    'FROM busybox AS first',
    '# who to greet',
    'ARG WHO=nobody',
    'COPY . /all/',
    'RUN echo "hi $WHO" > /greeting',
    'FROM scratch AS second',
    'COPY --from=first /greeting /all/ /',
    'LABEL a=b',
    '',
  ].join('\n'),
  failing: 'FROM busybox\nRUN echo one; echo two >&2; exit 3\nRUN true\n',
  malformed: 'FROM busybox\nFRO busybox\n',
  warned: 'FROM busybox\nMAINTAINER me\nCMD true\n',
  named: 'FROM busybox\nCOPY --from=other b /\n',
  secrets:
    'FROM busybox\nRUN --mount=type=secret,id=a --mount=type=secret,id=b,env=B cat /run/secrets/a; echo $B > /b\n',
  '.dockerignore': 'ignored\n**/*.log\n!keep.log\n',
  ignored: 'never',
  'a.log': 'never',
  'keep.log': 'kept',
  'deep/er/ünï': 'deep',
  'deep/b.log': 'never',
  'other/b': 'from elsewhere',
}

interface Outcome extends CommandResult {
  /** What the command line was to write, by name. */
  readonly written: Readonly<Record<string, string>>
}

const colour = new RegExp(`${'\u001B'}\\[[0-9;]*m`, 'g')

/** Times, ids and the program's own name are not compared. */
const steady = (text: string): string =>
  text
    .replaceAll(colour, '')
    // What is still under way is told of now and then.
    .replaceAll(/^#\d+ .* [\d.]+[kM]?B( \d+\.\d+s)?\n/gm, '')
    .replaceAll(/\d+\.\d+s( done)?/g, 'T')
    .replaceAll(/^(#\d+) \d+\.\d+ /gm, '$1 T ')
    .replaceAll(/^\d+\.\d+ /gm, 'T ')
    .replaceAll(/^(#\d+) (DONE T|CACHED)$/gm, '$1 END')
    .replaceAll(/( done| T)+$/gm, '')
    .replaceAll(/berth-(?:context|buildx)-\w+/g, 'FOLDER')

type Program = 'berth' | 'docker'

async function run(program: Program, folder: string, line: Line): Promise<Outcome> {
  const out = `${folder}-out`
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out)
  const words = line.args.map((word) => word.replaceAll('OUT', out))
  const options = { cwd: folder, input: line.input?.(folder), env: { ...client.env, ...repeatable, ...line.env } }
  const [file, first] = program === 'berth' ? [berth, ['build']] : [client.docker, ['buildx', 'build']]
  const result = await command(file, [...first, ...words], options)
  const listed = execFileSync('find', ['.', '-type', 'f'], { cwd: out, encoding: 'utf8' }).trim().split('\n').toSorted()
  const written = Object.fromEntries(listed.filter(Boolean).map((name) => [name, describe(join(out, name))]))
  return { ...result, stdout: steady(result.stdout), stderr: sortWarnings(oneReason(steady(result.stderr))), written }
}

/** Of a build that has failed two routines of buildx are told at once; each has words of its own, and the faster one's are shown. */
const oneReason = (text: string): string => text.replace('failed to run Build function: ', 'failed to solve: ')

/** buildx lists warnings in the order of a Go map, which is none. */
const sortWarnings = (text: string): string =>
  text.replace(/( - \w+: .*\n)+/g, (lines) =>
    lines
      .split(/(?<=\n)/)
      .toSorted()
      .join(''),
  )

/** What a file holds; of an archive, the names. */
function describe(path: string): string {
  if (path.endsWith('.tar'))
    return execFileSync('tar', ['tf', path], { encoding: 'utf8' }).split('\n').toSorted().join('\n')
  return readFileSync(path, 'utf8').replace(/("buildx.build.ref": ")[^"]+/, '$1REF')
}

interface Line {
  readonly args: readonly string[]
  readonly input?: (folder: string) => Buffer | string
  readonly env?: Readonly<Record<string, string>>
}

const lines: Readonly<Record<string, Line>> = {
  'a directory': { args: ['-t', 'compared:1', '.'] },
  'arguments, labels and a target': {
    args: ['--build-arg', 'WHO=me', '--label', 'l=x', '--target', 'first', '-t', 'compared:2', '.'],
  },
  'quietly, with ids and metadata': {
    args: ['-q', '--iidfile', 'OUT/iid', '--metadata-file', 'OUT/meta.json', '-t', 'compared:3', '.'],
  },
  'files, a tar and two archives at once': {
    args: ['-o', 'OUT/tree', '-o', 'type=tar,dest=OUT/x.tar', '-o', 'type=oci,dest=OUT/oci.tar', '.'],
  },
  'an archive for docker': { args: ['-t', 'compared:4', '-o', 'type=docker,dest=OUT/docker.tar', '.'] },
  'a Dockerfile on standard input': { args: ['-f', '-', '-q', '.'], input: () => 'FROM busybox\nCOPY deep /d\n' },
  'a lone Dockerfile on standard input': { args: ['-'], input: () => 'FROM busybox\nRUN true\n' },
  'a tar on standard input': {
    args: ['-q', '-f', 'named', '--build-context', 'other=other', '-'],
    input: (folder) => execFileSync('tar', ['-C', folder, '-c', '.']),
  },
  'a named context': { args: ['-f', 'named', '--build-context', 'other=other', '.'] },
  secrets: {
    args: [
      '-f',
      'secrets',
      '--secret',
      'id=a,src=keep.log',
      '--secret',
      'id=b,env=FROM_ENV',
      '--no-cache',
      '-o',
      'OUT',
      '.',
    ],
    env: { FROM_ENV: 'the value' },
  },
  'no cache, hosts, limits, memory and network': {
    args: '--no-cache --add-host x:1.2.3.4 --add-host y=[::1] --ulimit nofile=100:200 --shm-size 32m --network none --target first -o type=cacheonly .'.split(
      ' ',
    ),
  },
  'no cache for a stage': { args: ['--no-cache-filter', 'first', '.'] },
  'a cache in a directory': { args: ['--cache-to', 'type=local,dest=OUT/cache,mode=max', '-q', '.'] },
  'annotations and platforms': {
    args: ['--platform', 'linux/amd64', '--annotation', 'a=b', '-o', 'type=oci,dest=OUT/an.tar', '.'],
  },
  checks: { args: ['--check', '-f', 'warned', '.'] },
  'checks of what is fine': { args: ['--check', '.'] },
  'checks of what is malformed': { args: ['--check', '-f', 'malformed', '.'] },
  outline: { args: ['--call', 'outline', '--target', 'first', '.'] },
  targets: { args: ['--call', 'targets', '.'] },
  'targets as JSON': { args: ['--call', 'targets,format=json', '.'] },
  warnings: { args: ['-f', 'warned', '.'] },
  'a step that fails': { args: ['-f', 'failing', '.'] },
  'a Dockerfile that is malformed': { args: ['-f', 'malformed', '.'] },
  'no Dockerfile': { args: ['-f', 'absent', '.'] },
  'no context': { args: ['absent'] },
  'no such target': { args: ['-q', '--target', 'absent', '.'] },
  'an output without its type': { args: ['-o', 'dest=OUT,x=y', '.'] },
  'an output that is none': { args: ['-o', 'type=absent', '.'] },
  'a directory as a file': { args: ['-o', 'type=tar,dest=OUT', '.'] },
  'a secret that is not there': { args: ['--secret', 'id=a,src=absent', '.'] },
  'a secret with a strange key': { args: ['--secret', 'id=a,x=y', '.'] },
  'an agent that is not there': { args: ['--ssh', 'default=absent', '.'] },
  'a named context that is not there': { args: ['--build-context', 'other=absent', '.'] },
  'a push without a tag': { args: ['--push', '.'] },
  'a tag that is none': { args: ['-t', 'UPPER', '.'] },
  'a host that is none': { args: ['--add-host', 'x', '.'] },
  'a platform that is none': { args: ['--platform', 'a/b/c/d', '.'] },
  'a network that is none': { args: ['--network', 'absent', '.'] },
  'progress that is none': { args: ['--progress', 'absent', '.'] },
  'an attestation twice': { args: ['--provenance', 'true', '--attest', 'type=provenance', '.'] },
  'a cache without a type': { args: ['--cache-to', 'dest=OUT', '.'] },
}

for (const [name, line] of Object.entries(lines)) {
  test(`berth build does and says what docker buildx build does: ${name}`, async () => {
    const folder = client.context(files)
    // Whoever comes first fills the cache for both.
    const theirs = await run('docker', folder, line)
    const ours = await run('berth', folder, line)
    assert.deepEqual(ours, theirs)
  })
}

async function ok(folder: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const result = await command(berth, args, { cwd: folder, env: { ...client.env, ...env } })
  assert.equal(result.code, 0, result.stderr)
  return result
}

test('berth build makes the image that docker buildx build makes, and tells of it alike', async () => {
  const folder = client.context(files)
  const output = ['-o', 'type=image,name=alike,rewrite-timestamp=true']
  const args = [...output, '--label', 'x=y', '--build-arg', 'SOURCE_DATE_EPOCH=0', '--no-cache', '.']
  const inspect = async () => {
    const { stdout } = await ok(folder, ['image', 'inspect', 'alike', '--format', '{{json .Config}} {{json .RootFS}}'])
    return `${stdout}${(await ok(folder, ['history', '--no-trunc', '--format', '{{.CreatedBy}} {{.Size}}', 'alike'])).stdout}`
  }
  await client.ok(folder, ['buildx', 'build', ...args])
  const theirs = await inspect()
  await ok(folder, ['build', ...args])
  assert.equal(await inspect(), theirs)
})

test('berth build keeps secrets and agents out of layers, history and progress', async () => {
  const value = 'xyzzy-plugh-42'
  const folder = client.context({
    Dockerfile:
      'FROM busybox\nRUN --mount=type=secret,id=s,env=S test -n "$S" && md5sum /dev/null > /sum\n' +
      'RUN --mount=type=ssh test -S "$SSH_AUTH_SOCK" && echo "$SSH_AUTH_SOCK" > /agent\n',
  })
  const agent = spawn('ssh-agent', ['-D', '-a', join(folder, 'agent.sock')], { stdio: 'ignore' })
  try {
    await until(() => execFileSync('ls', [folder], { encoding: 'utf8' }).includes('agent.sock'))
    const args = ['build', '--no-cache', '--secret', 'id=s', '--ssh', 'default', '-t', 'secretive', '.']
    const { stderr } = await ok(folder, args, { s: value, SSH_AUTH_SOCK: join(folder, 'agent.sock') })
    const { stdout: history } = await ok(folder, ['history', '--no-trunc', 'secretive'])
    const saved = execFileSync(berth, ['save', 'secretive'], {
      env: { ...process.env, ...client.env },
      maxBuffer: 1 << 28,
    })
    assert.ok(![stderr, history, saved.toString('latin1')].some((text) => text.includes(value)))
  } finally {
    agent.kill()
  }
})

test('berth build takes a key for --ssh, which an agent of the build alone holds', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nRUN --mount=type=ssh,id=key test -S "$SSH_AUTH_SOCK"\n',
  })
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'key')])
  await ok(folder, ['build', '-q', '--no-cache', '--ssh', 'key=key', '.'])
})

test('berth build stops the RUN at once when it is interrupted', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN echo begun; sleep 1000\n' })
  const child = spawn(berth, ['build', '--progress', 'plain', '--no-cache', '.'], {
    cwd: folder,
    env: { ...process.env, ...client.env },
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()))
  await until(() => /\d begun/.test(said))
  const begin = Date.now()
  child.kill('SIGINT')
  const code = await new Promise((resolve) => child.once('close', resolve))
  assert.equal(code, 130)
  assert.match(said, /\nERROR: failed to build: failed to run Build function: Canceled: context canceled\n$/)
  await until(() => !readInventory(daemon).some((line) => /^cgroup .*[0-9a-f]{64}/.test(line)))
  assert.ok(Date.now() - begin < 5000)
})

test('berth build goes by the classic interface for what only that does, and refuses both at once', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN true\n' })
  const { stdout } = await ok(folder, ['build', '--memory', '64m', '.'])
  assert.match(stdout, /^Step 1\/2 : FROM busybox/)
  const { stdout: asked } = await ok(folder, ['build', '.'], { DOCKER_BUILDKIT: '0' })
  assert.match(asked, /^Step 1\/2 : FROM busybox/)
  const both = await command(berth, ['build', '--memory', '64m', '--secret', 'id=a', '.'], {
    cwd: folder,
    env: client.env,
  })
  assert.equal(both.code, 1)
  assert.match(both.stderr, /--memory is of the classic builder, --secret of BuildKit/)
})

test('berth buildx history lists, shows, repeats and removes what buildx does', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox AS one\nRUN echo from-history\n' })
  await ok(folder, ['build', '--target', 'one', '--label', 'l=x', '--no-cache', '.'])
  await command(berth, ['build', '--target', 'absent', '.'], { cwd: folder, env: client.env })
  // Without the plugin's folder: with it, `berth buildx` is the plugin.
  const own = (...args: string[]) => ok(folder, ['buildx', 'history', ...args], { DOCKER_CONFIG: folder })
  const theirs = (...args: string[]) => client.ok(folder, ['buildx', 'history', ...args])
  const known = (text: string) =>
    text.split('\n').map((line) => JSON.parse(line || '{}') as { ref?: string; status?: string })
  const [ours, listed] = [await own('ls', '--format', 'json'), await theirs('ls', '--format', 'json')]
  const facts = (text: string) => known(text).map(({ ref, status }) => `${ref} ${status}`)
  assert.deepEqual(facts(ours.stdout), facts(listed.stdout))
  assert.deepEqual(
    known(ours.stdout)
      .map(({ status }) => status)
      .slice(0, 2),
    ['Error', 'Completed'],
  )
  const [, built] = known(ours.stdout)
  const ref = built?.ref?.split('/').at(-1) ?? ''
  assert.match(
    (await own('inspect', ref)).stdout,
    /^Ref:\t\t\w+\n[^]*Target:\t+one\n[^]*Status:\t+Completed\n[^]*Label l:\t+x\n/m,
  )
  assert.equal(steady((await own('logs', ref)).stdout), steady((await theirs('logs', ref)).stderr))
  await own('rm', ref)
  assert.ok(!(await own('ls')).stdout.includes(ref))
})

test('a build with a policy of sources is refused, by either client', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\n',
    'policy.json': '{"rules":[{"action":"DENY","selector":{"identifier":"docker-image://*"}}]}',
  })
  const env = { EXPERIMENTAL_BUILDKIT_SOURCE_POLICY: join(folder, 'policy.json') }
  for (const program of ['berth', 'docker'] as const) {
    const { code, stderr } = await run(program, folder, { args: ['.'], env })
    assert.deepEqual([code, /source policies are not supported/.test(stderr)], [1, true], stderr)
  }
})
