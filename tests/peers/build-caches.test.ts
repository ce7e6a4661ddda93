import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, beforeEach, test } from 'node:test'
import { loadFixture, startDaemon, startDockerRegistry, type TestDaemon } from '@berth/testing'
import { BuildxClient } from './buildx-client.ts'

// What one engine has built, another begins with: caches of the real buildx, in a registry, a directory, an image.

let stack: AsyncDisposableStack
let daemon: TestDaemon
let registry: string
let client: BuildxClient

before(async () => {
  stack = new AsyncDisposableStack()
  daemon = stack.use(await startDaemon({ args: ['--insecure-registry', '127.0.0.1:5000'] }))
  registry = stack.use(await startDockerRegistry(daemon.sandbox)).host
  client = stack.use(new BuildxClient(daemon))
})
beforeEach(forget)
after(() => stack?.disposeAsync())

/** Leaves the engine nothing but the base image: what it builds from now on it must get from elsewhere, or do. */
async function forget(): Promise<void> {
  const images = (await daemon.api.json('GET', '/images/json?all=1')) as { Id: string }[]
  for (const { Id } of images) await daemon.api.request('DELETE', `/images/${Id}?force=1`)
  await daemon.api.json('POST', '/build/prune?all=1')
  assert.deepEqual(await daemon.api.json('GET', '/images/json?all=1'), [])
  await loadFixture(daemon.api, 'busybox')
}

const dockerfile = `FROM busybox AS tools
ARG WHICH=tool
RUN echo $WHICH > /tool && cat /proc/sys/kernel/random/uuid >> /tool
FROM busybox
ENV A=1
WORKDIR /w
COPY a .
RUN cat /proc/sys/kernel/random/uuid > now
COPY --from=tools /tool /tool
CMD ["cat", "/w/now", "/tool"]
`

const plain = ['build', '--progress', 'plain']

async function build(args: readonly string[], by = client, tag = 'it'): Promise<string> {
  const folder = by.context({ Dockerfile: dockerfile, a: 'a' })
  return (await by.ok(folder, [...plain, '-t', tag, ...args, '.'])).stderr
}

const cachedRun = /RUN cat \S+uuid > now\n#\d+ CACHED/

const imageId = async (of = client): Promise<string> =>
  (await of.ok(of.folder, ['inspect', '-f', '{{.Id}}', 'it'])).stdout.trim()

const cached = (text: string): number => text.match(/CACHED/g)?.length ?? 0

test('a registry: who has nothing else has every step of all stages, and comes to the same image', async () => {
  const ref = `${registry}/cache:all`
  const written = await build(['--cache-to', `type=registry,ref=${ref},mode=max`])
  assert.match(written, /exporting cache to registry/)
  assert.match(written, /writing cache image manifest sha256:/)
  const [id, output] = [await imageId(), await client.output('it')]
  await forget()
  const read = await build(['--cache-from', `type=registry,ref=${ref}`])
  assert.match(read, /importing cache manifest from \S+cache:all\n#\d+ DONE/)
  assert.equal(cached(read), 5)
  assert.deepEqual([await imageId(), await client.output('it')], [id, output])
})

test('a registry as an index, and of the result alone: stages that are only copied from are not built', async () => {
  const ref = `${registry}/cache:min`
  await build(['--cache-to', `type=registry,ref=${ref},image-manifest=false`])
  const id = await imageId()
  await forget()
  const read = await build(['--cache-from', ref])
  assert.equal(cached(read), 5)
  assert.match(read, /\[tools 2\/2\] RUN .*\n#\d+ CACHED/)
  assert.equal(await imageId(), id)
  const changed = await build(['--cache-from', ref, '--build-arg', 'WHICH=other'])
  assert.match(changed, /\[tools 2\/2\] RUN (?:(?!CACHED)[^])*DONE/)
  assert.match(changed, cachedRun)
})

test('a RUN that mounts another stage is spared that, until what the stage does changes', async () => {
  const ref = `${registry}/cache:mounts`
  const mounting = (text: string) =>
    client.context({
      Dockerfile: `FROM busybox AS source\nRUN cat /proc/sys/kernel/random/uuid > /f; echo ${text} >> /f\nFROM busybox\nRUN --mount=from=source,target=/s cat /s/f > /copy\nCMD cat /copy`,
    })
  const run = async (text: string, ...args: string[]) =>
    (await client.ok(mounting(text), [...plain, '-t', 'it', ...args, '.'])).stderr
  await run('one', '--cache-to', `type=registry,ref=${ref}`)
  const output = await client.output('it')
  await forget()
  assert.match(await run('one', '--cache-from', ref), /\[source 2\/2\] RUN .*\n#\d+ CACHED/)
  assert.equal(await client.output('it'), output)
  assert.match(await run('two', '--cache-from', ref), /\[source 2\/2\] RUN .*\n(?:.*\n)?#\d+ DONE/)
  assert.match(await client.output('it'), /two/)
})

test('a directory of the client: an OCI layout that an engine on fresh roots reads', async () => {
  const directory = join(client.folder, 'cache')
  await build(['--cache-to', `type=local,dest=${directory},mode=max`])
  const index = JSON.parse(readFileSync(join(directory, 'index.json'), 'utf8')) as { manifests: unknown[] }
  assert.equal(index.manifests.length, 1)
  const id = await imageId()
  await using other = await startDaemon()
  await loadFixture(other.api, 'busybox')
  using second = new BuildxClient(other)
  const read = await build(['--cache-from', `type=local,src=${directory}`], second)
  assert.equal(cached(read), 5)
  assert.equal(await imageId(second), id)
})

test('an image: what it tells of its steps is enough for those, and for the stages that it is made of', async () => {
  const ref = `${registry}/app:1`
  await build(['--push', '--cache-to', 'type=inline'], client, ref)
  const output = await client.output(ref)
  await forget()
  const read = await build(['--cache-from', `type=registry,ref=${ref}`])
  assert.equal(cached(read), 5)
  assert.match(read, /\[tools 2\/2\] RUN .*\n#\d+ CACHED/)
  assert.equal(await client.output('it'), output)
})

test('a classic build has the steps of an image that is here', async () => {
  const folder = client.context({ Dockerfile: 'FROM busybox\nENV A=1\nRUN cat /proc/sys/kernel/random/uuid > /now' })
  const classic = { env: { DOCKER_BUILDKIT: '0' } }
  await client.ok(folder, ['build', '-t', 'it', '--build-arg', 'BUILDKIT_INLINE_CACHE=1', '.'], classic)
  const archive = join(client.folder, 'it.tar')
  await client.ok(folder, ['save', '-o', archive, 'it'])
  await forget()
  await client.ok(folder, ['load', '-i', archive])
  const { stdout } = await client.ok(folder, ['build', '--cache-from', 'it', '.'], classic)
  assert.match(stdout, /RUN cat \S+uuid > \/now\n ---> Using cache/)
})

test('a cache that cannot be read is told, and the build goes on; one that cannot be written fails it', async () => {
  const read = await build(['--cache-from', 'type=registry,ref=localhost:1/x'])
  assert.match(read, /importing cache manifest from localhost:1\/x\n#\d+ ERROR: .*connection refused/)
  const folder = client.context({ Dockerfile: 'FROM busybox\nRUN true' })
  const fails = (args: readonly string[]) => client.run(folder, [...plain, ...args, '.'])
  const unreached = await fails(['--cache-to', 'type=registry,ref=localhost:1/x'])
  assert.equal(unreached.code, 1)
  assert.match(unreached.stderr, /connection refused/)
  await client.ok(folder, [...plain, '--cache-to', 'type=registry,ref=localhost:1/x,ignore-error=true', '.'])
  const azblob = await fails(['--cache-to', 'type=azblob,name=x,account_url=http://localhost:1'])
  assert.match(azblob.stderr, /unknown cache exporter: "azblob": this engine has inline, registry and local/)
  const from = await fails(['--cache-from', 'type=azblob,name=x,account_url=http://localhost:1'])
  assert.match(from.stderr, /unknown cache importer: "azblob": this engine has registry and local/)
  const zstd = await fails(['--cache-to', `type=registry,ref=${registry}/z,compression=zstd`])
  assert.match(zstd.stderr, /compression=zstd is not supported for registry caches/)
})
