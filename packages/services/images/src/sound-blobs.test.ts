import assert from 'node:assert/strict'
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { test } from 'node:test'
import { type Digest, sha256 } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import { layerOf, setUp, simpleArchive } from './testing/fixture.ts'
import { setUpRegistry } from './testing/registry-fixture.ts'

const own = process.arch === 'x64' ? 'amd64' : 'arm64'
const foreign = own === 'amd64' ? 'arm64' : 'amd64'
const image = (architecture: string) => ({
  layers: [[{ path: 'a', content: architecture.repeat(1000) }]],
  architecture,
})

/** Changes the last byte of a blob, as a disk does: its size stays. */
function rot(content: ContentStore, digest: string): void {
  const path = content.pathOf(digest as Digest)
  const at = statSync(path).size - 1
  const fd = openSync(path, 'r+')
  const byte = Buffer.alloc(1)
  readSync(fd, byte, 0, 1, at)
  writeSync(fd, Buffer.from([byte[0]! ^ 1]), 0, 1, at)
  closeSync(fd)
}

const corrupt = (digest: string) => ({
  kind: 'internal',
  message: `blob ${digest} is corrupt on disk: pull or load its image again`,
})

test('pull() fetches documents again that are damaged on the disk', async (t) => {
  const { registry, pull, content } = await setUpRegistry(t)
  const { index, images } = registry.addMultiImage('team/app', [image(own), image(foreign)], { tag: '1' })
  await pull('team/app:1')
  for (const digest of [index.digest, images[0]!.manifest.digest, images[0]!.config.digest]) {
    rot(content, digest)
    await pull('team/app:1')
    assert.equal(sha256(await content.read(digest as Digest, 1 << 20)), digest)
  }
})

test('pull() fetches a manifest that was removed while the registry was asked for its digest', async (t) => {
  const { registry, pull, content } = await setUpRegistry(t)
  const { manifest } = registry.addImage('team/app', { ...image(own), tag: '1' })
  await pull('team/app:1')
  const asked = Promise.withResolvers<void>()
  registry.misbehave({ on: 'manifest', method: 'HEAD', how: { kind: 'wait', until: asked.promise } })
  const pulled = pull('team/app:1')
  await rm(content.pathOf(manifest.digest as Digest))
  asked.resolve()
  await pulled
  assert.equal(content.info(manifest.digest as Digest)?.sizeBytes, manifest.size)
})

test('ensureUnpacked() tells of a layer that is damaged on the disk, and the next pull() brings it again', async (t) => {
  const { registry, pull, images, content } = await setUpRegistry(t)
  const added = registry.addMultiImage('team/app', [image(own), image(foreign)], { tag: '1' })
  const layer = added.images[1]!.layers[0]!.digest
  const platform = `linux/${foreign}`
  await pull('team/app:1', { platform })
  const name = `${registry.host}/team/app:1`
  rot(content, layer)
  const unpack = async () => images.ensureUnpacked(await images.resolve(name, platform))
  await assert.rejects(unpack(), corrupt(layer))
  await assert.rejects(unpack(), corrupt(layer), 'known by now')
  await pull('team/app:1', { platform })
  await unpack()
})

test('ensureUnpacked() reads a plain layer again that somebody verified long ago', async (t) => {
  const { load, images, content, snapshots } = await setUp(t)
  const { id, archive } = await simpleArchive('a', ['a:1'])
  const layer = sha256(await layerOf('a'))
  await load(archive)
  await snapshots.removeCommitted(layer)
  rot(content, layer)
  const unpack = async () => images.ensureUnpacked(await images.resolve(id))
  await assert.rejects(unpack(), corrupt(layer))
  await load(archive)
  await unpack()
})

test('push() tells of a layer that is damaged on the disk, and of none that the registry refuses for itself', async (t) => {
  const { registry, pull, push, images, content } = await setUpRegistry(t)
  const { layers } = registry.addImage('team/app', { ...image(own), tag: '1' })
  const [layer] = layers
  await pull('team/app:1')
  const name = `${registry.host}/team/app:1`
  for (const path of ['other', 'third']) await images.tag(name, `${registry.host}/${path}/app:1`)
  const refuse = () =>
    registry.misbehave({
      on: 'upload',
      method: 'PUT',
      how: { kind: 'answer', status: 400, body: '{"errors":[{"code":"DIGEST_INVALID","message":"no"}]}' },
    })
  registry.misbehave({ on: 'upload', method: 'POST', path: /mount=/, how: { kind: 'answer', status: 404 } })
  {
    using _ = refuse()
    await assert.rejects(push('other/app:1'), { kind: 'invalid', message: 'digest invalid: no' })
    assert.ok(content.holds({ digest: layer!.digest as Digest, size: layer!.size }))
  }
  rot(content, layer!.digest)
  await assert.rejects(push('third/app:1'), corrupt(layer!.digest))
  await pull('team/app:1')
  await push('third/app:1')
})

test('push() compresses no layer that is damaged on the disk', async (t) => {
  const { registry, load, push, images, content } = await setUpRegistry(t)
  const { archive } = await simpleArchive('a', ['a:1'])
  const layer = sha256(await layerOf('a'))
  await load(archive)
  await images.tag('a:1', `${registry.host}/team/a:1`)
  rot(content, layer)
  await assert.rejects(push('team/a:1'), corrupt(layer))
  assert.equal(
    registry.requests.some(({ method, url }) => method === 'PUT' && url.includes('/uploads/')),
    false,
  )
})
