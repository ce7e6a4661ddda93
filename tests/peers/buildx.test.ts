import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { readInventory, startDockerRegistry, until } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'

const { daemon, client } = await startBuildx({ args: ['--insecure-registry', '127.0.0.1:5000'] })

const plain = ['--progress', 'plain']
const supervised = (): string[] => readInventory(daemon).filter((line) => /^cgroup .*[0-9a-f]{64}/.test(line))

test('docker build of a directory: steps, cache, tags, labels, arguments, files about it', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nARG WHO=nobody\nCOPY a /a\nRUN echo "hi $WHO" >> /a\nENV E=1\nCMD ["cat", "/a"]\n',
    a: 'first\n',
    junk: 'never sent',
  })
  const args = ['build', ...plain, '-t', 'mine:1', '-t', 'other', '--build-arg', 'WHO=me', '--label', 'l=x']
  const built = await client.ok(folder, [...args, '--iidfile', 'iid', '--metadata-file', 'meta.json', '.'])
  assert.match(built.stderr, /\[internal\] load build definition from Dockerfile/)
  assert.match(built.stderr, /\[1\/3\] FROM docker\.io\/library\/busybox:latest/)
  assert.match(built.stderr, /\[3\/3\] RUN echo "hi me" >> \/a/)
  assert.match(built.stderr, /naming to docker\.io\/library\/mine:1 done/)
  assert.equal(await client.output('other'), 'first\nhi me\n')
  const inspected = await client.ok(folder, ['inspect', '-f', '{{.Id}} {{.Config.Labels.l}} {{.Config.Env}}', 'mine:1'])
  const id = readFileSync(join(folder, 'iid'), 'utf8')
  assert.match(inspected.stdout, new RegExp(`^${id} x \\[PATH=\\S+ E=1\\]\\n$`))
  const metadata = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Record<string, string>
  assert.equal(metadata['containerimage.config.digest'], id)
  const again = await client.ok(folder, [...args, '.'])
  assert.equal(again.stderr.match(/CACHED/g)?.length, 2)
  const fresh = await client.ok(folder, [...args, '--no-cache', '.'])
  assert.doesNotMatch(fresh.stderr, /CACHED/)
})

test('a Dockerfile and a context come by standard input, by a tar, and from elsewhere', async () => {
  const folder = client.context({ 'sub/My.Dockerfile': 'FROM busybox\nCOPY f /f\nCMD cat /f', f: 'f1' })
  const build = async (args: readonly string[], input: string | Buffer = '') =>
    (await client.ok(folder, ['build', '-q', ...args], { input })).stdout.trim()
  assert.equal(await client.output(await build(['-f', 'sub/My.Dockerfile', '.'])), 'f1')
  assert.equal(await client.output(await build(['-f', '-', '.'], 'FROM busybox\nCOPY f /\nCMD cat /f')), 'f1')
  assert.equal(await client.output(await build(['-'], 'FROM busybox\nCMD echo alone')), 'alone\n')
  const tar = execFileSync('tar', ['-c', '-C', folder, '.'])
  assert.equal(await client.output(await build(['-f', 'sub/My.Dockerfile', '-'], tar)), 'f1')
})

test('a context is a repository behind a URL: by a query, without its .git or with it', async () => {
  const folder = client.context({ 'work/s/Dockerfile': 'FROM busybox\nCOPY . /r\nCMD ls -A /r\n', 'work/s/f': 'f' })
  const git = (...args: string[]) => execFileSync('git', args, { cwd: join(folder, 'work'), stdio: 'ignore' })
  git('init', '--quiet', '--initial-branch=main')
  writeFileSync(join(folder, 'work/Dockerfile'), 'FROM busybox\nCOPY . /r\nCMD ls -A /r\n')
  git('add', '.')
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--message=a')
  git('clone', '--quiet', '--bare', '.', '../r.git')
  git('-C', '../r.git', 'update-server-info')
  const httpd = ['busybox', 'httpd', '-f', '-p', '127.0.0.1:8098', '-h', folder]
  const { file, args, env } = daemon.sandbox.enter(httpd)
  const server = spawn(file, args, { env, stdio: 'ignore' })
  const url = 'http://127.0.0.1:8098/r.git'
  const built = async (...options: string[]): Promise<string> =>
    await client.output((await client.ok(folder, ['build', '-q', ...options])).stdout.trim())
  try {
    await until(async () => (await client.run(folder, ['build', '-q', url])).code === 0, 20_000)
    const outputs = [
      await built(url),
      await built(`${url}?branch=main&subdir=s`),
      await built('--build-arg', 'BUILDKIT_CONTEXT_KEEP_GIT_DIR=1', url),
    ]
    assert.deepEqual(outputs, ['Dockerfile\ns\n', 'Dockerfile\nf\n', '.git\nDockerfile\ns\n'])
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})

test('a context is behind a URL: as a tar, or a Dockerfile alone', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nCMD echo by URL',
    'c/Dockerfile': 'FROM busybox\nCOPY f /f\nCMD cat /f',
    'c/f': 'f',
  })
  execFileSync('tar', ['-czf', 'c.tar.gz', '-C', 'c', '.'], { cwd: folder })
  const httpd = ['busybox', 'httpd', '-f', '-p', '127.0.0.1:8099', '-h', folder]
  const { file, args, env } = daemon.sandbox.enter(httpd)
  const server = spawn(file, args, { env, stdio: 'ignore' })
  try {
    const outputs: string[] = []
    for (const name of ['Dockerfile', 'c.tar.gz']) {
      const build = ['build', '-q', `http://127.0.0.1:8099/${name}`]
      const answer = async () => (await client.run(folder, build)).stdout.trim()
      let id = ''
      await until(async () => (id = await answer()) !== '', 20_000)
      outputs.push(await client.output(id))
    }
    assert.deepEqual(outputs, ['by URL\n', 'f'])
  } finally {
    server.kill()
    await once(server, 'exit')
  }
})

test('.dockerignore and a Dockerfile’s own ignore file leave files out', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nCOPY . /c\nCMD ls -R /c',
    '.dockerignore': 'no*\n!not\n',
    'Own.dockerignore': 'yes\nnot\n.dockerignore\n*ockerfile\nOwn*\n',
    Own: 'FROM busybox\nCOPY . /c\nCMD ls -R /c',
    nope: '',
    not: '',
    yes: '',
    'däta/ü': '',
  })
  await client.ok(folder, ['build', '-q', '-t', 'ign', '.'])
  assert.deepEqual((await client.output('ign', 'sh', '-c', 'cd /c; echo *')).trim().split(' '), [
    'Dockerfile',
    'Own',
    'Own.dockerignore',
    'däta',
    'not',
    'yes',
  ])
  await client.ok(folder, ['build', '-q', '-t', 'ign', '-f', 'Own', '.'])
  assert.deepEqual((await client.output('ign', 'sh', '-c', 'cd /c; echo *')).trim().split(' '), ['däta', 'nope'])
})

test('files of a context arrive as they are: modes, links, times, large and empty ones', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nCOPY . /c/', empty: '', 'd/x.sh': '#!/bin/sh' })
  execFileSync('chmod', ['4751', join(folder, 'd/x.sh')])
  execFileSync('mkfifo', [join(folder, 'fifo')])
  execFileSync('ln', [join(folder, 'd/x.sh'), join(folder, 'hard')])
  symlinkSync('/etc/passwd', join(folder, 'link'))
  const large = Buffer.alloc(5 << 20, 'large ')
  writeFileSync(join(folder, 'large'), large)
  mkdirSync(join(folder, 'void'))
  await client.ok(folder, ['build', '-q', '-t', 'tree', '.'])
  const listing = await client.output(
    'tree',
    'sh',
    '-c',
    'cd /c && stat -c "%A %s %n" d d/x.sh empty hard void; readlink link; md5sum < large',
  )
  const md5 = execFileSync('md5sum', { input: large, encoding: 'utf8' })
  assert.equal(
    listing,
    `drwxr-xr-x 4096 d\n-rwsr-x--x 9 d/x.sh\n-rw-r--r-- 0 empty\n-rwsr-x--x 9 hard\ndrwxr-xr-x 4096 void\n/etc/passwd\n${md5}`,
  )
})

test('a target, named contexts: a directory, an image, in the place of a stage', async () => {
  const folder = client.context({
    Dockerfile:
      'FROM busybox AS base\nRUN echo base > /who\nFROM base AS app\nCOPY --from=extra /f /f\nCMD cat /who /f\nFROM busybox\nRUN exit 1',
    'extra/f': 'extra\n',
    'extra/skip': '',
  })
  const build = ['build', '-q', '--target', 'app', '--build-context', 'extra=extra']
  await client.ok(folder, [...build, '-t', 'ctx', '.'])
  assert.equal(await client.output('ctx'), 'base\nextra\n')
  const other = client.context({ Dockerfile: 'FROM busybox\nRUN echo other > /who' })
  await client.ok(other, ['build', '-q', '-t', 'other-base', '.'])
  await client.ok(folder, [...build, '-t', 'ctx', '--build-context', 'base=docker-image://other-base', '.'])
  assert.equal(await client.output('ctx'), 'other\nextra\n')
})

test('outputs: a directory, a tar, nothing at all', async () => {
  const folder = client.context({
    Dockerfile:
      'FROM busybox AS b\nRUN mkdir /o && echo 1 > /o/one && chmod 640 /o/one && ln -s one /o/link && ln /o/one /o/hard\nFROM scratch\nCOPY --from=b /o /o/',
  })
  await client.ok(folder, ['build', '-q', '-o', 'out', '.'])
  assert.deepEqual(readdirSync(join(folder, 'out'), { recursive: true }).toSorted(), ['o', 'o/hard', 'o/link', 'o/one'])
  assert.equal((statSync(join(folder, 'out/o/one')).mode & 0o777).toString(8), '640')
  await client.ok(folder, ['build', '-q', '-o', 'type=tar,dest=out.tar', '.'])
  const names = execFileSync('tar', ['-tf', join(folder, 'out.tar')], { encoding: 'utf8' })
    .trim()
    .split('\n')
  assert.deepEqual(names.toSorted(), ['o/', 'o/hard', 'o/link', 'o/one'])
  const several = ['buildx', 'build', '-o', 'out2', '-o', 'type=image,name=two-outputs', '.']
  await client.ok(folder, several)
  assert.deepEqual(readdirSync(join(folder, 'out2')), ['o'])
  await client.ok(folder, ['inspect', 'two-outputs'])
  await client.ok(folder, ['buildx', 'build', '-o', 'type=cacheonly', '.'])
})

test('secrets and agents reach the RUN that names them, and nothing else', async () => {
  const secret = `s3cret-${process.pid}`
  const folder = client.context({
    Dockerfile:
      'FROM busybox\nRUN --mount=type=secret,id=s --mount=type=secret,id=e,env=E,required stat -c "%a %n" /run/secrets/s; cmp /run/secrets/s /given && echo "$E" | cmp - /given\nRUN ls /run/secrets 2>&1; true\nRUN --mount=type=secret,id=absent ls /run/secrets/absent || echo none\n',
    given: secret,
  })
  writeFileSync(
    join(folder, 'Dockerfile'),
    readFileSync(join(folder, 'Dockerfile'), 'utf8').replace(
      'FROM busybox\n',
      'FROM busybox\nCOPY given /given\nRUN echo >> /given\n',
    ),
  )
  const args = ['build', ...plain, '--secret', 'id=s,env=GIVEN', '--secret', 'id=e,env=TOKEN', '-t', 'secretive', '.']
  const env = { GIVEN: `${secret}\n`, TOKEN: secret }
  const { stderr } = await client.ok(folder, args, { env })
  assert.match(stderr, /400 \/run\/secrets\/s/)
  assert.match(stderr, / none\n/)
  const missing = client.context({
    Dockerfile: 'FROM busybox\nRUN --mount=type=secret,id=s,required true\nRUN --mount=type=ssh,required true',
  })
  const { stderr: refused } = await client.run(missing, ['build', ...plain, '.'])
  assert.match(refused, /ERROR: failed to build: failed to solve: secret s: not found/)
})

test('an agent of the client answers in a RUN: it lists its key, and signs with it', async () => {
  const folder = client.context({
    Dockerfile: `FROM busybox
COPY root/ /
COPY key.pub /
RUN --mount=type=ssh,uid=33 stat -c "%F %u" $SSH_AUTH_SOCK
RUN --mount=type=ssh ssh-add -l && ssh-add -T /key.pub && echo signed
RUN test -z "$SSH_AUTH_SOCK"
`,
  })
  copyProgram('ssh-add', join(folder, 'root'))
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'made for a build', '-f', join(folder, 'key')])
  const socket = join(folder, 'agent.sock')
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  try {
    await until(() => readdirSync(folder).includes('agent.sock'))
    execFileSync('ssh-add', ['-q', join(folder, 'key')], {
      env: { ...process.env, SSH_AUTH_SOCK: socket },
      stdio: 'ignore',
    })
    const { stderr } = await client.ok(folder, ['build', ...plain, '--ssh', `default=${socket}`, '.'])
    assert.match(stderr, /socket 33/)
    assert.match(stderr, /256 SHA256:\S+ made for a build \(ED25519\)/)
    assert.match(stderr, /\d signed/)
  } finally {
    agent.kill()
    await once(agent, 'exit')
  }
})

/** A program of this machine with the libraries that it needs, at their places below `root`. */
function copyProgram(name: string, root: string): void {
  const program = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim()
  const libraries = execFileSync('ldd', [program], { encoding: 'utf8' }).match(/\/\S+(?= \(0x)/g) ?? []
  for (const path of [program, ...libraries]) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    copyFileSync(path, join(root, path))
  }
}

test('what a RUN may use: hosts, shm, limits, networks, entitlements', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nRUN cat /etc/hosts; df -k /dev/shm | tail -1; ulimit -n; ls /sys/class/net',
  })
  const options = [
    '--add-host',
    'there:1.2.3.4',
    '--add-host',
    'gw:host-gateway',
    '--shm-size',
    '8m',
    '--ulimit',
    'nofile=100:200',
  ]
  const { stderr } = await client.ok(folder, ['build', ...plain, ...options, '--network', 'none', '.'])
  assert.match(stderr, /1\.2\.3\.4\s+there/)
  assert.match(stderr, /172\.\d+\.\d+\.1\s+gw/)
  assert.match(stderr, / 8192 /)
  assert.match(stderr, / 100\n#\d+ [\d.]+ lo\n/)
  const host = client.context({ Dockerfile: 'FROM busybox\nRUN --network=host true' })
  const refused = await client.run(host, ['build', '.'])
  assert.match(refused.stderr, /network\.host is not allowed/)
  await client.ok(host, ['build', '--allow', 'network.host', '.'])
  await client.ok(host, ['build', '--network', 'host', '.'])
  const insecure = await client.run(host, ['build', '--allow', 'security.insecure', '.'])
  assert.match(insecure.stderr, /granting entitlement security\.insecure is not allowed by build daemon configuration/)
})

for (const [what, dockerfile, args, expected] of [
  [
    'a RUN that fails',
    'FROM busybox\nRUN exit 3',
    [],
    [/did not complete successfully: exit code: 3/, /2 \| >>> RUN exit 3/],
  ],
  ['a file that is missing', 'FROM busybox\nCOPY nope /', [], [/"\/nope": not found/, /2 \| >>> COPY nope/]],
  [
    'an unknown instruction',
    'FROM busybox\nFOO x',
    [],
    [/dockerfile parse error on line 2: unknown instruction: FOO/, /2 \| >>> FOO x/],
  ],
  ['a target that is not there', 'FROM busybox', ['--target', 'nope'], [/target stage "nope" could not be found/]],
  ['another frontend', '# syntax=evil/frontend\nFROM busybox', [], [/frontend evil\/frontend is not supported/]],
] as const) {
  test(`docker build tells of ${what}`, async () => {
    const folder = client.context({ Dockerfile: dockerfile })
    const { code, stderr } = await client.run(folder, ['build', ...plain, ...args, '.'])
    assert.notEqual(code, 0)
    for (const pattern of expected) assert.match(stderr, pattern)
  })
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a client that ends by ${signal} stops the RUN at once`, async () => {
    const folder = client.context({ Dockerfile: 'FROM busybox\nRUN echo began; sleep 600' })
    // The plugin itself: killing the docker CLI before it would leave it to run.
    const buildx = join(client.env['DOCKER_CONFIG'] as string, 'cli-plugins/docker-buildx')
    const child = spawn(buildx, ['build', ...plain, '--no-cache', '.'], {
      cwd: folder,
      env: { ...process.env, ...client.env },
      stdio: 'ignore',
    })
    await until(() => supervised().length > 0, 20_000)
    child.kill(signal)
    await once(child, 'exit')
    await until(() => supervised().length === 0, 2000)
  })
}

test('an engine that stops ends the builds of its clients first', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN sleep 600' })
  const building = client.run(folder, ['build', '--no-cache', '.'])
  await until(() => supervised().length > 0, 20_000)
  await daemon.kill('SIGTERM')
  assert.notEqual((await building).code, 0)
  assert.doesNotMatch(daemon.log(), /level=error/)
  await daemon.start()
  await until(() => supervised().length === 0, 5000)
})

test('a step that takes from another stage begins when that is done', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox AS slow\nRUN sleep 1; echo > /s\nFROM busybox\nCOPY --from=slow /s /s',
  })
  const { stderr } = await client.ok(folder, ['build', ...plain, '--no-cache', '.'])
  const [run, copy] = [stderr.search(/\[slow 2\/2\] RUN/), stderr.search(/\[stage-1 2\/2\] COPY/)]
  assert.ok(run >= 0 && run < copy, stderr)
})

test('builds are remembered over a restart, pinned, inspected and forgotten', async () => {
  const folder = client.context({
    Dockerfile: 'FROM busybox\nRUN echo kept over > /r',
    Bad: 'FROM busybox\nRUN exit 7',
  })
  await client.ok(folder, ['build', '-q', '--no-cache', '--build-arg', 'A=told', '-t', 'kept', '.'])
  await client.run(folder, ['build', '-q', '-f', 'Bad', '.'])
  const list = async () =>
    (await client.ok(folder, ['buildx', 'history', 'ls', '--format', '{{.Ref}} {{.Status}}'])).stdout
  await until(async () => /Completed/.test(await list()) && /Error/.test(await list()))
  const before = await list()
  await daemon.kill('SIGTERM')
  await daemon.start()
  assert.equal(await list(), before)
  const [, id = ''] = /(\S+) Completed/.exec(before) ?? []
  const { stdout } = await client.ok(folder, ['buildx', 'history', 'inspect', id])
  assert.match(stdout, /Status:\s+Completed|Duration:/)
  assert.match(stdout, /A\s+told/)
  assert.match(
    (await client.ok(folder, ['buildx', 'history', 'logs', '--progress', 'plain', id])).stderr,
    /RUN echo kept over/,
  )
  await client.ok(folder, ['buildx', 'history', 'rm', '--all'])
  assert.equal(await list(), '')
})

test('builder commands: ls, inspect, du, prune, history', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN echo remembered > /r' })
  await client.ok(folder, ['build', '-q', '.'])
  const { stdout: listed } = await client.ok(folder, ['buildx', 'ls'])
  assert.match(listed, /default.*\n.*default.*running.*linux\/amd64|arm64/)
  assert.match((await client.ok(folder, ['buildx', 'inspect'])).stdout, /BuildKit version:\s+v\d/)
  assert.match((await client.ok(folder, ['buildx', 'du', '--verbose'])).stdout, /RUN echo remembered/)
  const { stdout: history } = await client.ok(folder, ['buildx', 'history', 'ls'])
  const [, id = ''] = /\n(\S+)\s.*Completed/.exec(history) ?? []
  assert.notEqual(id, '', history)
  assert.match((await client.ok(folder, ['buildx', 'history', 'logs', id])).stderr, /RUN echo remembered/)
  await client.ok(folder, ['buildx', 'history', 'rm', id])
  assert.doesNotMatch((await client.ok(folder, ['buildx', 'history', 'ls'])).stdout, new RegExp(id))
  assert.match((await client.ok(folder, ['buildx', 'prune', '-af'])).stdout, /Total:\s+\d/)
  assert.doesNotMatch((await client.ok(folder, ['buildx', 'du', '--verbose'])).stdout, /remembered/)
})

test('a Dockerfile that is a symlink is followed', async () => {
  const folder = client.context({ 'real/My.Dockerfile': 'FROM busybox\nCMD echo linked' })
  symlinkSync('real/My.Dockerfile', join(folder, 'Dockerfile'))
  const { stdout } = await client.ok(folder, ['build', '-q', '.'])
  assert.equal(await client.output(stdout.trim()), 'linked\n')
})

test('build checks: warnings of a build, --check, and those that fail it', async () => {
  const dockerfile = 'FROM busybox AS Foo\nENV a b\nCMD echo\n'
  const folder = client.context({
    Dockerfile: dockerfile,
    Strict: `# check=error=true\n${dockerfile}`,
    Clean: 'FROM busybox\nENV A=$PATH',
  })
  const built = await client.ok(folder, ['build', ...plain, '.'])
  assert.match(built.stderr, /3 warnings found/)
  assert.match(built.stderr, /StageNameCasing: Stage name 'Foo' should be lowercase \(line 1\)/)
  const checked = await client.run(folder, ['build', '--check', '.'])
  assert.equal(checked.code, 1)
  assert.match(checked.stdout, /WARNING: LegacyKeyValueFormat - https:\/\/docs\.docker\.com\/\S+\n[^]*2 \| >>> ENV a b/)
  const strict = await client.run(folder, ['build', '-f', 'Strict', '.'])
  assert.match(strict.stderr, /failed to solve: lint violation found for rules: StageNameCasing, /)
  const clean = await client.ok(folder, ['build', '--check', '-f', 'Clean', '.'])
  assert.match(clean.stdout, /Check complete, no warnings found/)
})

test('--call: targets and outline', async () => {
  const folder = client.context({
    Dockerfile: '# one is the first\nFROM busybox AS one\nARG A=1\nRUN --mount=type=secret,id=s true\nFROM one',
  })
  const { stdout: targets } = await client.ok(folder, ['build', '--call', 'targets', '.'])
  assert.match(targets, /one\s+is the first\n\(default\)/)
  const { stdout: outline } = await client.ok(folder, ['build', '--call', 'outline', '.'])
  assert.match(outline, /BUILD ARG\s+VALUE\s+DESCRIPTION\nA\s+1\s*\n\nSECRET\s+REQUIRED\ns\s/)
})

test('--push brings the image to a registry, with the client’s credentials', async () => {
  await using registry = await startDockerRegistry(daemon.sandbox, { users: { me: 'word' } })
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN echo pushed > /p' })
  const name = `${registry.host}/pushed:1`
  const { code } = await client.run(folder, ['buildx', 'build', '--push', '-t', name, '.'])
  assert.notEqual(code, 0)
  await client.ok(folder, ['login', '-u', 'me', '--password-stdin', registry.host], { input: 'word' })
  await client.ok(folder, ['buildx', 'build', '--push', '-t', name, '.'])
  assert.ok(registry.manifest('pushed', '1').bytes.length > 0)
  await client.ok(folder, ['rmi', name])
  const base = client.context({ Dockerfile: `FROM ${name}\nCMD cat /p` })
  await client.ok(base, ['build', '-q', '--pull', '-t', 'onpushed', '.'])
  assert.equal(await client.output('onpushed'), 'pushed\n')
})

test('checks whose options are none fail the build, as does a warning that shall', async () => {
  for (const [line, message] of [
    ['# check=foo=true', 'failed to parse check options: invalid check option "foo"'],
    ['# check=error=true', 'lint violation found for rules: MaintainerDeprecated'],
  ]) {
    const folder = client.context({ Dockerfile: `${line}\nFROM busybox\nMAINTAINER me\n` })
    const { code, stderr } = await client.run(folder, ['build', '.'])
    assert.deepEqual([code, stderr.includes(`failed to solve: ${message}`)], [1, true], stderr)
  }
})

test('an output that there is not is refused before anything is built', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN echo never-run\n' })
  const { code, stderr } = await client.run(folder, ['build', '--no-cache', '-o', 'type=foo', '.'])
  assert.deepEqual([code, stderr.includes('exporter "foo" could not be found')], [1, true], stderr)
  assert.doesNotMatch(stderr, /never-run/)
})

test('proxies that are given reach a RUN under both of their names', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN test "$HTTP_PROXY$no_proxy$http_proxy" = pxp\n' })
  await client.ok(folder, ['build', '--build-arg', 'http_proxy=p', '--build-arg', 'NO_PROXY=x', '.'])
})
