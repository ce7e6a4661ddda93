import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  command,
  loadFixture,
  readInventory,
  restored,
  startDaemon,
  tarEntry,
  type TarSource,
  type TestDaemon,
  until,
  writeTar,
} from '@berth/testing'

const docker = process.env['BERTH_DOCKER_CLI'] ?? 'docker'
let daemon: TestDaemon
let empty: string[]

before(async () => {
  daemon = await startDaemon()
  await loadFixture(daemon.api, 'busybox')
  await build('FROM busybox\nRUN true')
  await forgetBuilds()
  empty = await settled()
})
after(() => daemon?.[Symbol.asyncDispose]())

/** The inventory once two readings of it are the same. */
async function settled(): Promise<string[]> {
  let last = readInventory(daemon)
  await until(async () => {
    const before = last
    last = readInventory(daemon)
    return before.join('\n') === last.join('\n')
  })
  return last
}

async function forgetBuilds(): Promise<void> {
  await daemon.api.json('POST', `/images/prune?filters=${encodeURIComponent('{"dangling":["true"]}')}`)
  await daemon.api.json('POST', '/build/prune?all=1')
}

interface Answer {
  readonly status: number
  readonly text: string
}

function contextOf(dockerfile: string, files: Readonly<Record<string, string>> = {}): AsyncGenerator<Buffer> {
  const all = Object.entries({ Dockerfile: dockerfile, ...files })
  const sources = all.map(([path, text]): TarSource => {
    const content = Buffer.from(text)
    return { entry: tarEntry({ path, sizeBytes: content.length }), content }
  })
  return writeTar(sources)
}

async function build(
  dockerfile: string,
  options: { readonly query?: string; readonly files?: Record<string, string>; readonly signal?: AbortSignal } = {},
): Promise<Answer> {
  const body = Buffer.concat(await Array.fromAsync(contextOf(dockerfile, options.files)))
  const headers = { 'Content-Type': 'application/x-tar' }
  const extras = { headers, ...(options.signal && { signal: options.signal }) }
  return await daemon.api.request('POST', `/build?${options.query ?? ''}`, body, extras)
}

const supervisedContainers = (): string[] => readInventory(daemon).filter((line) => /^cgroup .*[0-9a-f]{64}/.test(line))

test('docker build sends its context, shows the steps, and the image runs', async () => {
  const folder = join(daemon.dataRoot, '..', 'context')
  mkdirSync(folder, { recursive: true })
  writeFileSync(
    join(folder, 'Dockerfile'),
    'FROM busybox\nARG WHO=nobody\nCOPY a /a\nRUN echo "hi $WHO" >> /a\nCMD cat /a\n',
  )
  writeFileSync(join(folder, 'a'), 'first\n')
  const env = { DOCKER_HOST: daemon.host, DOCKER_BUILDKIT: '0' }
  const built = await command(docker, ['build', '-t', 'mine:1', '--build-arg', 'WHO=me', folder], { env })
  assert.equal(built.code, 0, built.stderr)
  assert.match(built.stdout, /Step 1\/5 : FROM busybox\n ---> [0-9a-f]{12}\n/)
  assert.match(
    built.stdout,
    /Running in [0-9a-f]{12}\n[^]*Successfully built [0-9a-f]{12}\nSuccessfully tagged mine:1\n$/,
  )
  const run = await command(docker, ['run', '--rm', 'mine:1'], { env })
  assert.equal(run.stdout, 'first\nhi me\n')
  const again = await command(docker, ['build', '-q', '--build-arg', 'WHO=me', folder], { env })
  const cached = await command(docker, ['build', '--build-arg', 'WHO=me', folder], { env })
  assert.match(again.stdout, /^sha256:[0-9a-f]{64}\n$/)
  assert.equal(cached.stdout.match(/Using cache/g)?.length, 4)
  assert.equal((await command(docker, ['rmi', 'mine:1'], { env })).code, 0)
  await forgetBuilds()
  await restored(daemon, empty)
})

test('output of RUN comes as it is written, what goes to stderr in red', async () => {
  const { text } = await build('FROM busybox\nRUN echo out; echo err >&2', { query: 'nocache=1' })
  const streams = text
    .split('\n')
    .flatMap((line) => (line.trim() ? [(JSON.parse(line) as { stream?: string }).stream] : []))
  assert.ok(streams.includes('out\n') && streams.includes('\u001B[91merr\n\u001B[0m'), text)
})

test('a step that fails ends the build with its status, and leaves nothing behind', async () => {
  await forgetBuilds()
  const { text } = await build('FROM busybox\nRUN mkdir /x\nRUN exit 7', { query: 'nocache=1' })
  assert.match(
    text,
    /"errorDetail":\{"code":7,"message":"The command '\/bin\/sh -c exit 7' returned a non-zero code: 7"\}/,
  )
  await forgetBuilds()
  await restored(daemon, empty)
})

test('a client that leaves ends the RUN at once, and nothing of it stays', async () => {
  const abort = new AbortController()
  const building = build('FROM busybox\nRUN sleep 600', { query: 'nocache=1', signal: abort.signal })
  building.catch(() => {})
  await until(() => supervisedContainers().length > 0)
  abort.abort()
  await assert.rejects(building)
  await restored(daemon, empty)
})

test('stages that do not need each other are built side by side, and told in order', async () => {
  // Each waits for all the others: one after the other they would never end.
  const meet = 'for i in $(seq 300); do [ $(ls /m | wc -l) = 4 ] && exit 0; sleep 0.1; done; exit 1'
  const stage = (n: number) =>
    `FROM busybox AS s${n}\nRUN --mount=type=cache,id=meet,target=/m echo > /m/${n}; echo ${n} > /out${n}; ${meet}\n`
  const copies = [1, 2, 3, 4].map((n) => `COPY --from=s${n} /out${n} /`).join('\n')
  const { text } = await build(`${[1, 2, 3, 4].map(stage).join('')}FROM busybox\n${copies}`, { query: 'nocache=1' })
  assert.match(text, /Successfully built/)
  const steps = [...text.matchAll(/Step (\d+)\/13/g)].map(([, n]) => Number(n))
  assert.deepEqual(steps, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
})

test('a stage that nothing needs is not built', async () => {
  const { text } = await build('FROM busybox AS unused\nRUN false\nFROM busybox\nRUN true')
  assert.match(text, /Successfully built/)
})

test('identical builds at once do each step once', async () => {
  const dockerfile = `FROM busybox\nRUN sleep 1; cat /proc/sys/kernel/random/uuid > /id; echo ${performance.now()}`
  const answers = await Promise.all([1, 2, 3].map(() => build(dockerfile)))
  const ids = new Set(answers.map(({ text }) => /"ID":"(sha256:[0-9a-f]+)"/.exec(text)?.[1]))
  assert.equal(ids.size, 1)
  assert.ok(!ids.has(undefined))
})

test('what COPY brings decides about the cache, its time does not; what follows a change is done anew', async () => {
  const dockerfile = 'FROM busybox\nCOPY a /a\nRUN cat /a > /b'
  const hits = async (content: string) =>
    (await build(dockerfile, { files: { a: content } })).text.match(/Using cache/g)?.length ?? 0
  await hits('one')
  assert.deepEqual([await hits('one'), await hits('two'), await hits('one')], [2, 0, 2])
})

test('a document of the Dockerfile is a file of the time that it was built at, which the cache passes over', async () => {
  const dockerfile = 'FROM busybox\nCOPY <<END /h\nx\nEND\nRUN test $(stat -c %Y /h) -gt 1600000000\n'
  assert.match((await build(dockerfile, { query: 'nocache=1' })).text, /Successfully built/)
  assert.equal((await build(dockerfile)).text.match(/Using cache/g)?.length, 2)
})

test('the cache outlives the engine, is listed, and is pruned', async () => {
  await build('FROM busybox\nRUN echo kept > /kept')
  await daemon.kill('SIGTERM')
  await daemon.start()
  assert.match((await build('FROM busybox\nRUN echo kept > /kept')).text, /Using cache/)
  const usage = (await daemon.api.json('GET', '/system/df?type=build-cache')) as { BuildCache: { Size: number }[] }
  assert.ok(usage.BuildCache.some(({ Size }) => Size === 5))
  const pruned = (await daemon.api.json('POST', '/build/prune?all=1')) as { CachesDeleted: string[] }
  assert.ok(pruned.CachesDeleted.length > 0)
  assert.doesNotMatch((await build('FROM busybox\nRUN echo kept > /kept')).text, /Using cache/)
})

test('what images and the cache share is told of once, by the prune that frees it', async () => {
  const prune = async (path: string) =>
    ((await daemon.api.json('POST', path)) as { SpaceReclaimed: number }).SpaceReclaimed
  const images = `/images/prune?filters=${encodeURIComponent('{"dangling":["false"],"label":["shared"]}')}`
  const dockerfile = 'FROM busybox\nLABEL shared=\nRUN echo four > /four'
  await build(dockerfile, { query: 't=shared' })
  assert.deepEqual([await prune(images), await prune('/build/prune?all=1')], [0, 5])
  await build(dockerfile, { query: 't=shared' })
  assert.deepEqual([await prune('/build/prune?all=1'), await prune(images)], [0, 5])
})

test('an image that is removed takes nothing from the cache with it', async () => {
  const dockerfile = 'FROM busybox\nRUN echo stays > /stays\nRUN echo too > /too'
  await build(dockerfile, { query: 't=gone' })
  await daemon.api.json('DELETE', '/images/gone')
  assert.equal((await build(dockerfile)).text.match(/Using cache/g)?.length, 2)
  await forgetBuilds()
  assert.deepEqual(await settled(), empty)
})

for (const point of [
  'build: context received',
  'build: step done',
  'build: layer stored',
  'build: layer committed',
  'create image: stored',
]) {
  test(`an engine that dies at "${point}" leaves nothing of the build`, async () => {
    await forgetBuilds()
    await daemon.kill('SIGTERM')
    await daemon.start({ BERTH_FAULT: point })
    await build(`FROM busybox\nRUN echo ${point.replaceAll(' ', '')} > /x`, { query: 't=fault' }).catch(() => {})
    await daemon.ended()
    await daemon.start()
    const { text } = await build(`FROM busybox\nRUN echo ${point.replaceAll(' ', '')} > /x`, { query: 't=fault' })
    assert.match(text, /Successfully tagged fault:latest/)
    await daemon.api.json('DELETE', '/images/fault')
    await forgetBuilds()
    await restored(daemon, empty)
  })
}

test('an engine killed in the middle of a RUN ends it when it is back', async () => {
  const building = build('FROM busybox\nRUN sleep 600', { query: 'nocache=1' })
  building.catch(() => {})
  await until(() => supervisedContainers().length > 0)
  await daemon.kill('SIGKILL')
  await assert.rejects(building)
  await daemon.start()
  await until(() => supervisedContainers().length === 0)
  await forgetBuilds()
  await restored(daemon, empty)
})

test('links of the context lead nowhere outside of it', async () => {
  const outside = await build('FROM busybox\nCOPY passwd /stolen', {
    query: 'nocache=1',
    files: {},
  })
  assert.match(outside.text, /COPY failed: file not found in build context/)
  const evil = Buffer.from('FROM busybox\nCOPY evil /s/\n')
  const sources: TarSource[] = [
    { entry: tarEntry({ path: 'Dockerfile', sizeBytes: evil.length }), content: evil },
    { entry: tarEntry({ path: 'evil', type: 'symlink', linkPath: '../../../../../../../../../etc' }) },
  ]
  const body = Buffer.concat(await Array.fromAsync(writeTar(sources)))
  const headers = { 'Content-Type': 'application/x-tar' }
  const { text } = await daemon.api.request('POST', '/build?nocache=1', body, { headers })
  assert.match(text, /COPY failed|error/)
  const dockerfile = await daemon.api.request('POST', '/build?dockerfile=../../../etc/passwd', body, { headers })
  assert.match(dockerfile.text, /Cannot locate specified Dockerfile/)
})

test('a RUN is confined as a container is', async () => {
  const probe =
    'grep -E "^(CapEff|CapInh|Seccomp|NoNewPrivs)" /proc/self/status; ls /proc/self/fd | wc -l; cat /proc/kcore'
  const { text } = await build(`FROM busybox\nRUN ${probe}; true`, { query: 'nocache=1' })
  const run = await daemon.api.json('POST', '/containers/create', {
    Image: 'busybox',
    Cmd: ['/bin/sh', '-c', probe],
  })
  const { Id } = run as { Id: string }
  await daemon.api.json('POST', `/containers/${Id}/start`)
  await daemon.api.json('POST', `/containers/${Id}/wait`)
  const { text: logs } = await daemon.api.request('GET', `/containers/${Id}/logs?stdout=1`)
  await daemon.api.json('DELETE', `/containers/${Id}`)
  for (const name of ['CapEff', 'CapInh', 'Seccomp', 'NoNewPrivs']) {
    const line = new RegExp(`${name}:\\s+(\\w+)`)
    const inRun = line.exec(text.replaceAll('\\t', '\t'))?.[1]
    assert.equal(inRun, line.exec(logs)?.[1], name)
    assert.ok(inRun !== undefined)
  }
})
