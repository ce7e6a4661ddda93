import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { command, filesBelow, readInventory, startDockerRegistry, until } from '@berth/testing'
import { startBuildx } from './buildx-client.ts'
import { type Index, openLayout } from './oci-layout.ts'
import { foreignMachine, ownMachine, programOf, registerInterpreter } from './foreign-programs.ts'

const { daemon, client } = await startBuildx({ args: ['--insecure-registry', '127.0.0.1:5000'] })

const both = ['--platform', 'linux/amd64,linux/arm64']

/** Built on this host, for each target. */
const cross = `FROM --platform=$BUILDPLATFORM busybox AS build
RUN echo once > /once; cat /proc/sys/kernel/random/uuid >> /once
ARG TARGETPLATFORM
ARG TARGETARCH
ARG BUILDPLATFORM
RUN echo "$BUILDPLATFORM for $TARGETPLATFORM ($TARGETARCH)" > /out
FROM scratch
COPY --from=build /once /out /
COPY shared /shared
LABEL kind=cross
`
const files = { Dockerfile: cross, shared: 'shared\n', unsent: '' }

test('one build for several platforms: an index in the store, steps that are the same done once', async () => {
  const folder = client.context(files)
  const args = ['buildx', 'build', '--progress', 'plain', ...both, '-t', 'cross:1', '--metadata-file', 'meta.json']
  const { stderr } = await client.ok(folder, [...args, '--iidfile', 'iid', '.'])
  assert.equal(stderr.match(/\[linux\/amd64 build 2\/3\] RUN echo once/g)?.length, 1, stderr)
  assert.match(stderr, /\[linux\/amd64->arm64 build 3\/3\] RUN echo "linux\/amd64 for linux\/arm64 \(arm64\)"/)
  assert.match(stderr, /\[linux\/arm64 stage-1 1\/2\] COPY --from=build/)
  assert.match(stderr, /exporting manifest list sha256:[0-9a-f]{64}/)
  assert.equal(stderr.match(/load build context/g)?.length, 1)
  const metadata = JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')) as Record<string, unknown>
  const digest = readFileSync(join(folder, 'iid'), 'utf8')
  assert.equal(metadata['containerimage.digest'], digest)
  for (const architecture of ['amd64', 'arm64']) {
    const format = ['-f', '{{.Os}}/{{.Architecture}} {{.Config.Labels.kind}}']
    const inspected = await client.ok(folder, [
      'image',
      'inspect',
      ...format,
      '--platform',
      `linux/${architecture}`,
      'cross:1',
    ])
    assert.equal(inspected.stdout, `linux/${architecture} cross\n`)
  }
  const { stdout: tree } = await client.ok(folder, ['image', 'ls', '--tree'])
  assert.match(tree, /cross:1[^]*linux\/amd64[^]*linux\/arm64/)
  // The digest that the client was given names it too.
  assert.equal((await client.ok(folder, ['image', 'inspect', '-f', '{{.Architecture}}', digest])).stdout, 'amd64\n')
  const again = await client.ok(folder, [...args, '.'])
  assert.equal(again.stderr.match(/CACHED/g)?.length, 7, again.stderr)
})

test('a name is removed with all its platforms, and its blobs with it', async () => {
  const folder = client.context({
    Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /f',
    amd64: 'a',
    arm64: 'b',
  })
  await client.ok(folder, ['build', '-q', ...both, '-t', 'gone:1', '.'])
  const { stdout: id } = await client.ok(folder, ['buildx', 'build', '-q', ...both, '-t', 'gone:2', '.'])
  await client.ok(folder, ['rmi', 'gone:1'])
  await client.ok(folder, ['rmi', id.trim()])
  assert.equal((await client.ok(folder, ['images', '-q', 'gone'])).stdout, '')
  const { stdout } = await command(process.execPath, [join(import.meta.dirname, '../../bin/berth'), 'check'], {
    env: { DOCKER_HOST: daemon.host },
  })
  assert.doesNotMatch(stdout, /missing|unknown/i)
})

test('outputs: a folder for each platform, one tar of those, an OCI layout', async () => {
  const folder = client.context(files)
  await client.ok(folder, ['build', '-q', ...both, '-o', 'out', '.'])
  const names = ['linux_amd64/once', 'linux_amd64/out', 'linux_amd64/shared']
  const all = [...names, ...names.map((name) => name.replace('amd64', 'arm64'))]
  assert.deepEqual(filesBelow(join(folder, 'out')), all)
  assert.equal(readFileSync(join(folder, 'out/linux_arm64/out'), 'utf8'), 'linux/amd64 for linux/arm64 (arm64)\n')
  await client.ok(folder, ['build', '-q', ...both, '-o', 'type=local,dest=flat,platform-split=false', '.'])
  assert.deepEqual(filesBelow(join(folder, 'flat')).length, 3)
  await client.ok(folder, ['build', '-q', ...both, '-o', 'type=tar,dest=out.tar', '.'])
  const listed = execFileSync('tar', ['-tf', join(folder, 'out.tar')], { encoding: 'utf8' })
    .trim()
    .split('\n')
  assert.deepEqual(listed.filter((name) => !name.endsWith('/')).toSorted(), all)
  await client.ok(folder, ['build', '-q', ...both, '-t', 'named:1', '-o', 'type=oci,dest=oci.tar', '.'])
  const { index, root } = openLayout(folder, 'oci.tar')
  assert.equal(root.annotations?.['io.containerd.image.name'], 'docker.io/library/named:1')
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform),
    ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture })),
  )
  await client.ok(folder, ['load', '-i', 'oci.tar'])
  const { stdout } = await client.ok(folder, [
    'image',
    'inspect',
    '-f',
    '{{.Architecture}}',
    '--platform',
    'linux/arm64',
    'named:1',
  ])
  assert.equal(stdout, 'arm64\n')
  const single = await client.ok(folder, ['build', '-q', '--platform', 'linux/arm64', '-o', 'one', '.'])
  assert.equal(single.code, 0)
  assert.equal(filesBelow(join(folder, 'one')).length, 3)
})

test('annotations: of the index, of manifests, and of what names them, for all platforms or one', async () => {
  const folder = client.context(files)
  const annotations = [
    'index:of=index',
    'index-descriptor:of=root',
    'manifest:of=each',
    'manifest[linux/arm64]:only=arm',
    'manifest-descriptor[linux/amd64]:named=amd',
    'plain=yes',
  ].flatMap((one) => ['--annotation', one])
  await client.ok(folder, ['build', '-q', ...both, ...annotations, '-o', 'type=oci,dest=oci.tar', '.'])
  const { index, root, document } = openLayout(folder, 'oci.tar')
  assert.deepEqual([index.annotations, root.annotations?.['of']], [{ of: 'index' }, 'root'])
  const found = index.manifests.map(({ digest, annotations: named }) => [
    (document(digest) as { annotations?: unknown }).annotations,
    named,
  ])
  assert.deepEqual(found, [
    [{ of: 'each', plain: 'yes' }, { named: 'amd' }],
    [{ of: 'each', only: 'arm', plain: 'yes' }, undefined],
  ])
  await client.ok(folder, ['build', '-q', '--annotation', 'single=1', '-o', 'type=oci,dest=single.tar', '.'])
  const single = openLayout(folder, 'single.tar')
  await client.ok(folder, ['build', '-q', '--annotation', 'kept=1', '-o', 'type=image,name=annotated', '.'])
  await client.ok(folder, ['tag', 'annotated', 'too'])
  assert.deepEqual((single.index as { annotations?: unknown }).annotations, { single: '1' })
  for (const [args, message] of [
    [['--annotation', 'index:a=b'], /index annotations not supported for single platform export/],
    [['--annotation', 'manifest[linux/s390x]:a=b'], /invalid annotation: no platform linux\/s390x found in source/],
  ] as const) {
    const { code, stderr } = await client.run(folder, ['build', ...args, '-o', 'type=image,name=never', '.'])
    assert.notEqual(code, 0)
    assert.match(stderr, message)
  }
})

test('a push takes the whole index as it is here, annotations too; what it names can be pulled', async () => {
  await using registry = await startDockerRegistry(daemon.sandbox)
  const folder = client.context(files)
  const name = `${registry.host}/cross:1`
  const { stdout } = await client.ok(folder, [
    'buildx',
    'build',
    '-q',
    ...both,
    '--annotation',
    'm=n',
    '--push',
    '-t',
    name,
    '.',
  ])
  const pushed = registry.manifest('cross', '1')
  assert.equal(pushed.digest, stdout.trim())
  const index = JSON.parse(pushed.bytes.toString()) as Index
  assert.deepEqual(
    index.manifests.map(({ platform }) => platform.architecture),
    ['amd64', 'arm64'],
  )
  for (const { digest } of index.manifests) {
    const manifest = JSON.parse(registry.blob(digest).toString()) as {
      annotations: unknown
      layers: { digest: string; mediaType: string }[]
    }
    assert.deepEqual(manifest.annotations, { m: 'n' })
    for (const { digest: layer, mediaType } of manifest.layers) {
      assert.match(mediaType, /gzip$/)
      assert.ok(registry.blob(layer).length > 0)
    }
  }
  await client.ok(folder, ['rmi', name])
  await client.ok(folder, ['pull', '-q', '--platform', 'linux/arm64', name])
  await client.ok(folder, ['build', '-q', ...both, '-t', `${registry.host}/later:1`, '.'])
  await client.ok(folder, ['push', '-q', `${registry.host}/later:1`])
  const later = JSON.parse(registry.manifest('later', '1').bytes.toString()) as Index
  assert.equal(later.manifests.length, 2)
})

test('linked targets of several platforms begin with one another', async () => {
  const bake = JSON.stringify({
    target: {
      base: { context: '.', target: 'base', platforms: ['linux/amd64', 'linux/arm64'] },
      app: {
        context: '.',
        dockerfile: 'App',
        contexts: { base: 'target:base' },
        platforms: ['linux/amd64', 'linux/arm64'],
        output: ['type=local,dest=out'],
      },
    },
  })
  const folder = client.context({
    'docker-bake.json': bake,
    Dockerfile: 'FROM scratch AS base\nARG TARGETARCH\nCOPY $TARGETARCH /of',
    App: 'FROM base\nCOPY App /app',
    amd64: 'amd64',
    arm64: 'arm64',
  })
  await client.ok(folder, ['buildx', 'bake', '-f', 'docker-bake.json', 'app'])
  assert.deepEqual(
    ['amd64', 'arm64'].map((name) => readFileSync(join(folder, `out/linux_${name}/of`), 'utf8')),
    ['amd64', 'arm64'],
  )
})

test('a cache of several platforms spares both their steps elsewhere', async () => {
  const folder = client.context(files)
  const cache = join(folder, 'cache')
  await client.ok(folder, ['build', '-q', ...both, '--cache-to', `type=local,dest=${cache},mode=max`, '.'])
  await client.ok(folder, ['buildx', 'prune', '-af'])
  const { stderr } = await client.ok(folder, [
    'build',
    '--progress',
    'plain',
    ...both,
    '--cache-from',
    `type=local,src=${cache}`,
    '.',
  ])
  assert.equal(stderr.match(/CACHED/g)?.length, 7, stderr)
})

test('what fails for one platform fails the build, and is told with its platform', async () => {
  const dockerfile =
    'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nRUN [ $TARGETARCH = amd64 ] && sleep 600\n'
  const folder = client.context({ Dockerfile: dockerfile })
  const { code, stderr } = await client.run(folder, ['build', '--progress', 'plain', ...both, '.'])
  assert.notEqual(code, 0)
  assert.match(stderr, /> \[linux\/amd64->arm64 2\/2\] RUN \[ arm64 = amd64 \]/)
  assert.match(stderr, /3 \| >>> RUN \[ \$TARGETARCH/)
})

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a client that ends by ${signal} stops the RUN of every platform at once`, async () => {
    const sleeping = 'FROM --platform=$BUILDPLATFORM busybox\nARG TARGETARCH\nRUN echo $TARGETARCH; sleep 600'
    const folder = client.context({ Dockerfile: sleeping })
    // The plugin itself: killing the docker CLI before it would leave it to run.
    const buildx = join(client.env['DOCKER_CONFIG'] as string, 'cli-plugins/docker-buildx')
    const args = ['build', '--no-cache', ...both, '.']
    const child = spawn(buildx, args, { cwd: folder, env: { ...process.env, ...client.env }, stdio: 'ignore' })
    const ended = once(child, 'exit')
    const ids = () => readInventory(daemon).flatMap((line) => /^cgroup .*([0-9a-f]{64})/.exec(line)?.[1] ?? [])
    const running = () => new Set(ids()).size
    await until(() => running() === 2, 20_000)
    child.kill(signal)
    await ended
    await until(() => running() === 0, 5000)
  })
}

test('a RUN of another machine: what is wrong is told, and it runs where an interpreter is registered', async () => {
  const folder = client.context({ Dockerfile: 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /p\nRUN ["/p"]' })
  for (const machine of [ownMachine, foreignMachine] as const) {
    writeFileSync(join(folder, machine), programOf(machine), { mode: 0o755 })
  }
  const build = ['build', '--progress', 'plain', ...both, '.']
  const { code, stderr } = await client.run(folder, build)
  assert.notEqual(code, 0)
  assert.match(stderr, /exec \/p: exec format error/)
  assert.match(stderr, new RegExp(`hint: programs of linux/${foreignMachine} do not run on this host: .*binfmt_misc`))
  assert.match(stderr, /did not complete successfully: exit code: 255/)
  const platforms = async () => /Platforms:\s*(.*)/.exec((await client.ok(folder, ['buildx', 'inspect'])).stdout)?.[1]
  assert.doesNotMatch((await platforms()) ?? '', new RegExp(foreignMachine))
  // A program of this host in the place of an emulator.
  using _ = registerInterpreter(daemon.sandbox, { machine: foreignMachine, interpreter: programOf(ownMachine) })
  const emulated = await client.ok(folder, [...build, '--no-cache'])
  assert.equal(emulated.stderr.match(new RegExp(`of ${ownMachine}\\n`, 'g'))?.length, 2)
  assert.match((await platforms()) ?? '', new RegExp(`linux/${ownMachine}.*linux/${foreignMachine}`))
})
