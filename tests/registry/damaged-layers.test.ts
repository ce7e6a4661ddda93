// What the disk does to a layer that is kept packed: an image of another platform, until it is run.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import {
  Cli,
  type DockerRegistry,
  fixtureImage,
  startDockerRegistry,
  type StoredImage,
  useEngine,
} from '@berth/testing'

let registry: DockerRegistry
after(() => registry?.[Symbol.asyncDispose]())
const engine = useEngine({ images: [] })
const docker = new Cli('docker', engine)

const listType = 'application/vnd.docker.distribution.manifest.list.v2+json'
const [own, foreign] = process.arch === 'x64' ? ['amd64', 'arm64'] : ['arm64', 'amd64']
let packed: StoredImage
let name: string

// made late: the sandbox is there when the engine runs
beforeEach(async () => {
  if (registry) return
  registry = await startDockerRegistry(engine.daemon!.sandbox)
  name = `${registry.host}/team/multi:1`
  const [manifests, busybox] = [[] as object[], await fixtureImage('busybox')]
  for (const architecture of [own, foreign]) {
    // The program is this host's: what the config says decides what is unpacked.
    packed = await registry.add('team/multi', { ...busybox, reference: `x:${architecture}`, architecture })
    const { mediaType, digest, size } = packed
    manifests.push({ mediaType, digest, size, platform: { os: 'linux', architecture } })
  }
  registry.addManifest('team/multi', '1', listType, { schemaVersion: 2, mediaType: listType, manifests })
})

test('run says of a layer that it is damaged on the disk, the next pull brings it again, and run works', async () => {
  const platform = ['--platform', `linux/${foreign}`]
  const run = ['run', '--rm', '--pull', 'never', ...platform, name, 'echo', 'works']
  await docker.ok('pull', '-q', ...platform, name)
  const layer = packed.layers[0]!.digest
  const blob = join(engine.daemon!.dataRoot, 'content/blobs/sha256', layer.slice(7))
  const bytes = readFileSync(blob)
  bytes[bytes.length >> 1]! ^= 1
  writeFileSync(blob, bytes)
  const words = new RegExp(`blob ${layer} is corrupt on disk: pull or load its image again`)
  for (const _ of ['found', 'known']) assert.match(await docker.fails(...run), words)
  await docker.ok('pull', '-q', ...platform, name)
  assert.match(await docker.ok(...run), /works/)
})
