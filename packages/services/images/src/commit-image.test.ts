import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { sha256 } from '@berth/oci'
import type { CommitRequest } from './images.ts'
import { layerOf, setUp, simpleArchive } from './testing/fixture.ts'

async function withParent(t: TestContext) {
  const fixture = await setUp(t)
  await fixture.load((await simpleArchive('base', ['base:1'])).archive)
  const parent = await fixture.images.resolve('base:1')
  const request = async (fields: Partial<CommitRequest> = {}): Promise<CommitRequest> => ({
    containerId: 'c'.repeat(64),
    layer: Readable.from([await layerOf('new')]),
    parent,
    containerConfig: { Env: ['PATH=/bin'], Cmd: ['top', '-b'], Labels: { base: '1' } },
    changes: [],
    ...fields,
  })
  return { ...fixture, parent, request }
}

test('commit() puts the writable layer on the parent and says how it was made', async (t) => {
  const { images, parent, request, eventLog } = await withParent(t)
  const id = await images.commit(
    await request({ reference: 'child', author: 'me', message: 'why', changes: ['ENV PATH=/x:$PATH'] }),
  )
  const image = await images.resolve('child:latest')
  assert.deepEqual([image.id, image.parent, image.sizeBytes], [id, parent.id, 4 + 3])
  assert.deepEqual(image.config.config, { Env: ['PATH=/x:/bin'], Cmd: ['top', '-b'], Labels: { base: '1' } })
  const { created, ...entry } = image.config.history?.at(-1) ?? {}
  assert.deepEqual(entry, { created_by: 'top -b', author: 'me', comment: 'why' })
  assert.equal(created, image.config.created)
  assert.deepEqual((await eventLog()).slice(-2), [`create ${id}`, 'tag child:latest'])
})

test('commit() of a container that changed nothing adds no layer', async (t) => {
  const { images, content, parent, request } = await withParent(t)
  await images.commit(await request({ layer: Readable.from([Buffer.alloc(1024)]), reference: 'same' }))
  const same = await images.resolve('same')
  assert.deepEqual(same.config.rootfs.diff_ids, parent.config.rootfs.diff_ids)
  assert.deepEqual([same.chainId, same.sizeBytes], [parent.chainId, parent.sizeBytes])
  assert.equal(same.config.history?.at(-1)?.empty_layer, true)
  await images[Symbol.asyncDispose]()
  assert.ok(content.list().every(({ digest }) => digest !== sha256(Buffer.alloc(1024))))
})

test('commit() with a config of its own takes from the container what that leaves open', async (t) => {
  const { images, request } = await withParent(t)
  await images.commit(await request({ reference: 'child', config: { Env: ['A=1'] }, changes: ['ENV PATH=/x:$PATH'] }))
  const { config } = (await images.resolve('child')).config
  assert.deepEqual(config?.Env, ['A=1', 'PATH=/x:'])
  assert.deepEqual(config?.Cmd, ['top', '-b'])
})

test('commit() refuses bad changes and names before it reads the layer', async (t) => {
  const { images, request } = await withParent(t)
  const layer = Readable.from(['untouched'])
  await assert.rejects(images.commit(await request({ layer, changes: ['RUN x'] })), /RUN is not a valid change command/)
  await assert.rejects(images.commit(await request({ layer, reference: 'UP' })), /must be lowercase/)
  assert.equal(layer.readableDidRead, false)
})

test('commit() that fails leaves nothing', async (t) => {
  const { images, request, content } = await withParent(t)
  const before = content.list()
  async function* broken() {
    yield (await layerOf('x')).subarray(0, 600)
    throw new Error('disk gone')
  }
  await assert.rejects(images.commit(await request({ layer: Readable.from(broken()) })), /disk gone/)
  await images[Symbol.asyncDispose]()
  assert.deepEqual([content.list(), (await images.list({ all: true })).length], [before, 1])
})

test('importRootfs() makes an image of one layer, stored uncompressed', async (t) => {
  const { images, eventLog } = await setUp(t)
  const tar = await layerOf('etc')
  const source = Readable.from([gzipSync(tar)])
  const id = await images.importRootfs(
    { source, reference: 'root:1', message: 'why', changes: ['CMD ["sh"]'], platform: 'linux/aarch64' },
    () => {},
  )
  const image = await images.resolve('root:1')
  const { created, history, rootfs, ...config } = image.config
  assert.deepEqual(config, { os: 'linux', architecture: 'arm64', comment: 'why', config: { Cmd: ['sh'] } })
  assert.deepEqual(history, [{ created, comment: 'why' }])
  assert.equal(image.chainId, rootfs.diff_ids[0])
  assert.notEqual(image.lastTaggedAt, '0001-01-01T00:00:00Z')
  assert.deepEqual(await eventLog(), ['tag root:1', `import ${id}`])
})

test('importRootfs() judges everything before it reads', async (t) => {
  const { images } = await setUp(t)
  const source = Readable.from(['untouched'])
  const refuses = (fields: object, message: string) =>
    assert.rejects(
      images.importRootfs({ source, changes: [], ...fields }, () => {}),
      { kind: 'invalid', message },
    )
  await refuses({ platform: 'windows/amd64' }, 'operating system is not supported')
  await refuses({ platform: 'a/b/c/d' }, '"a/b/c/d": cannot parse platform specifier: invalid argument')
  await refuses({ changes: ['FOO x'] }, 'FOO is not a valid change command')
  await refuses({ reference: 'sha256' }, 'refusing to create an ambiguous tag using digest algorithm as name')
  assert.equal(source.readableDidRead, false)
})

test('importRootfs() of garbage leaves nothing', async (t) => {
  const { images, content } = await setUp(t)
  const source = Readable.from([Buffer.from('garbage')])
  await assert.rejects(
    images.importRootfs({ source, changes: [], reference: 'x' }, () => {}),
    { kind: 'invalid' },
  )
  await images[Symbol.asyncDispose]()
  assert.deepEqual([content.list(), await images.list({ all: true })], [[], []])
})
