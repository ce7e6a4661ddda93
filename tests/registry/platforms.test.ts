import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { Cli, type DockerRegistry, layerOf, startDockerRegistry, type StoredImage, useEngine } from '@berth/testing'

let registry: DockerRegistry
after(() => registry?.[Symbol.asyncDispose]())
const engine = useEngine({ images: [] })
const docker = new Cli('docker', engine)
const berth = new Cli('berth', engine)

const listType = 'application/vnd.docker.distribution.manifest.list.v2+json'
const architectures = ['amd64', 'arm64', 's390x'] as const
const stored: StoredImage[] = []
let name: string

// made late: the sandbox is there when the engine runs
beforeEach(async () => {
  if (registry) return
  registry = await startDockerRegistry(engine.daemon!.sandbox)
  name = `${registry.host}/team/multi:1`
  for (const architecture of architectures) {
    const layers = [layerOf([{ path: 'a', content: architecture.repeat(1000) }])]
    stored.push(await registry.add('team/multi', { reference: `x:${architecture}`, layers, config: {}, architecture }))
  }
  const manifests = stored.map(({ mediaType, digest, size }, i) => ({
    mediaType,
    digest,
    size,
    platform: { os: 'linux', architecture: architectures[i] },
  }))
  registry.addManifest('team/multi', '1', listType, { schemaVersion: 2, mediaType: listType, manifests })
  await docker.ok('pull', '-q', '--platform', 'linux/amd64', name)
  await docker.ok('pull', '-q', '--platform', 'linux/arm64', name)
})

test('images --tree shows the platforms that are here and those that are not, as docker does', async () => {
  await docker.ok('create', '--name', 'user', '--platform', 'linux/arm64', name, '/a')
  const [own, theirs] = [await berth.ok('images', '--tree'), await docker.ok('images', '--tree')]
  await docker.ok('rm', 'user')
  assert.equal(own, stripVTControlCharacters(theirs))
  assert.match(
    own,
    /├─ linux\/amd64 +[0-9a-f]{12} .*\n├─ linux\/arm64 +[0-9a-f]{12} .* U +\n└─ linux\/s390x +[0-9a-f]{12} /,
  )
})

test('images --tree refuses what it has no column for, in docker’s words', async () => {
  for (const flag of ['--quiet', '--no-trunc', '--digests', '--format=x']) {
    assert.equal(await berth.fails('images', '--tree', flag), await docker.fails('images', '--tree', flag))
  }
})

test('GET /images/json lists the platforms when it is asked to', async () => {
  interface Summary {
    readonly Manifests?: readonly {
      readonly ID: string
      readonly Available: boolean
      readonly Size: { Content: number }
    }[]
  }
  const list = async (query: string) => (await engine.api.json('GET', `/images/json${query}`)) as Summary[]
  assert.deepEqual(
    (await list('')).map(({ Manifests: manifests }) => manifests),
    [undefined],
  )
  const [{ Manifests: manifests = [] } = {}] = await list('?manifests=1')
  assert.deepEqual(
    manifests.map(({ ID: id, Available: isAvailable }) => [id, isAvailable]),
    stored.map(({ digest }, i) => [digest, i < 2]),
  )
  assert.ok(manifests.every(({ Size: { Content: bytes } }) => bytes > 0))
})

test('inspect and history choose by --platform', async () => {
  for (const [i, architecture] of architectures.slice(0, 2).entries()) {
    const format = ['--format', '{{.Id}} {{.Architecture}}']
    const platform = ['--platform', `linux/${architecture}`]
    const expected = `${stored[i]!.configDigest} ${architecture}`
    assert.equal(await docker.ok('image', 'inspect', ...platform, ...format, name), expected)
    assert.equal(await berth.ok('image', 'inspect', ...platform, ...format, name), expected)
  }
  assert.match(
    await berth.fails('image', 'inspect', '--platform', 'linux/s390x', name),
    /does not (provide|match)|No such image|not found/,
  )
})
