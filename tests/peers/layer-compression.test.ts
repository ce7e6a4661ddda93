import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { type DockerRegistry, loadFixture, startDaemon, startDockerRegistry, type TestDaemon } from '@berth/testing'
import { BuildxClient } from './buildx-client.ts'

// compression, compression-level and force-compression of outputs, by the real buildx. The base is from a registry, and gzip.

let stack: AsyncDisposableStack
let daemon: TestDaemon
let registry: DockerRegistry
let client: BuildxClient

before(async () => {
  stack = new AsyncDisposableStack()
  daemon = stack.use(await startDaemon({ args: ['--insecure-registry', '127.0.0.1:5000'] }))
  registry = stack.use(await startDockerRegistry(daemon.sandbox))
  client = stack.use(new BuildxClient(daemon))
  await loadFixture(daemon.api, 'busybox')
  const base = `${registry.host}/base:1`
  for (const args of [
    ['tag', 'busybox', base],
    ['push', base],
    ['rmi', 'busybox', base],
    ['pull', base],
  ])
    await client.ok(client.folder, args)
})
after(() => stack?.disposeAsync())

interface Layer {
  readonly mediaType: string
  readonly digest: string
  readonly size: number
}

const context = (): string =>
  client.context({
    Dockerfile: `FROM ${registry.host}/base:1\nRUN seq 1 30000 > /numbers && cat /bin/busybox > /program\n`,
    a: 'a',
  })

const kinds = (layers: readonly Layer[]): string[] => layers.map(({ mediaType }) => mediaType.split('.').at(-1) ?? '')

/** The layers of an archive that a build has made, and what reads its blobs. */
async function archived(options: string) {
  const folder = context()
  await client.ok(folder, ['build', '-o', `type=oci,dest=it.tar${options}`, '.'])
  const read = (name: string): Buffer =>
    execFileSync('tar', ['-xOf', join(folder, 'it.tar'), name], { maxBuffer: 1 << 26 })
  const blob = (digest: string): Buffer => read(`blobs/sha256/${digest.slice('sha256:'.length)}`)
  const index = JSON.parse(String(read('index.json'))) as { manifests: { digest: string }[] }
  const { layers } = JSON.parse(String(blob(index.manifests[0]?.digest ?? ''))) as { layers: Layer[] }
  return { folder, layers, blob }
}

test('compression=zstd: what the build has made, and with force-compression the base too', async () => {
  const { layers, blob } = await archived(',compression=zstd')
  assert.deepEqual(kinds(layers), ['tar+gzip', 'tar+zstd'])
  assert.ok(zstdDecompressSync(blob(layers[1]?.digest ?? '')).includes('numbers'))
  const forced = await archived(',compression=zstd,force-compression=true')
  assert.deepEqual(kinds(forced.layers), ['tar+zstd', 'tar+zstd'])
  assert.ok(zstdDecompressSync(forced.blob(forced.layers[0]?.digest ?? '')).includes('bin/busybox'))
})

test('compression=uncompressed, forced, is without any', async () => {
  assert.deepEqual(kinds((await archived(',compression=uncompressed,force-compression=true')).layers), ['tar', 'tar'])
})

test('compression-level makes layers smaller or larger, and the same ones each time', async () => {
  for (const compression of ['gzip', 'zstd']) {
    const size = async (level: number) => {
      const { layers } = await archived(`,compression=${compression},compression-level=${level}`)
      return layers[1] as Layer
    }
    const [low, high, again] = [await size(1), await size(9), await size(9)]
    assert.ok(high.size < low.size, `${compression}: ${high.size} of ${low.size}`)
    assert.equal(again.digest, high.digest)
  }
})

test('a registry gets them, and an engine that pulls runs them', async () => {
  const reference = `${registry.host}/app:zstd`
  const output = `type=image,name=${reference},push=true,compression=zstd,force-compression=true`
  await client.ok(context(), ['build', '-o', output, '.'])
  const { layers } = JSON.parse(String(registry.manifest('app', 'zstd').bytes)) as { layers: Layer[] }
  assert.deepEqual(kinds(layers), ['tar+zstd', 'tar+zstd'])
  await client.ok(client.folder, ['rmi', reference])
  const run = await client.ok(client.folder, ['run', '--rm', reference, 'tail', '-n1', '/numbers'])
  assert.equal(run.stdout, '30000\n')
})

test('an archive of them is loaded, and its layers stay as they are', async () => {
  const { folder } = await archived(',compression=zstd,force-compression=true,name=loaded:1')
  await client.ok(folder, ['load', '-i', 'it.tar'])
  assert.equal((await client.ok(folder, ['run', '--rm', 'loaded:1', 'tail', '-n1', '/numbers'])).stdout, '30000\n')
  assert.deepEqual(kinds((await archived(',compression=gzip')).layers), ['tar+zstd', 'tar+zstd'])
})

test('without a push it is of no matter, as with dockerd; what is none is refused', async () => {
  const folder = context()
  await client.ok(folder, ['build', '-o', 'type=image,name=here,compression=zstd', '.'])
  assert.equal((await client.ok(folder, ['run', '--rm', 'here', 'tail', '-n1', '/numbers'])).stdout, '30000\n')
  const fails = async (options: string): Promise<string> => {
    const { code, stderr } = await client.run(folder, ['build', '-o', `type=oci,dest=x.tar,${options}`, '.'])
    assert.equal(code, 1, options)
    return stderr
  }
  assert.match(await fails('compression=estargz'), /unsupported compression estargz/)
  assert.match(await fails('compression-level=x'), /non-integer value x specified for compression-level/)
  assert.match(await fails('compression-level=10'), /compression-level 10 is none of gzip: 0 to 9/)
  assert.match(await fails('force-compression=maybe'), /non-bool value maybe specified for force-compression/)
})
