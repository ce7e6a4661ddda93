import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { readTar } from '@berth/archive'
import { build, dockerArchive, layerOf, setUp, simpleArchive } from './testing/fixture.ts'

/** Path to content of the members of a tar. */
async function unpackTar(source: AsyncIterable<Uint8Array>): Promise<Map<string, string>> {
  const files = new Map<string, string>()
  for await (const { entry, content } of readTar(source)) {
    assert.ok(!files.has(entry.path), `${entry.path} comes twice`)
    files.set(entry.path, Buffer.concat(await Array.fromAsync(content())).toString())
  }
  return files
}

test('save() writes an OCI layout with Docker documents, each blob once', async (t) => {
  const { images, load, eventLog } = await setUp(t)
  const base = build([await layerOf('a')])
  const child = build([...base.layers, await layerOf('b')])
  await load([await dockerArchive({ ...base, tags: ['base:1'] }, { ...child, tags: ['q/child:1', 'q/child:2'] })])
  const files = await unpackTar(await images.save(['q/child:2', 'base:1', 'q/child:1']))
  const read = (path: string) => JSON.parse(files.get(path) ?? '')
  const path = (digest: string) => `blobs/${digest.replace(':', '/')}`
  const layers = (await images.resolve('q/child:1')).config.rootfs.diff_ids
  assert.deepEqual(read('manifest.json'), [
    { Config: path(child.id), RepoTags: ['q/child:2', 'q/child:1'], Layers: layers.map(path) },
    { Config: path(base.id), RepoTags: ['base:1'], Layers: layers.slice(0, 1).map(path) },
  ])
  assert.deepEqual(read('oci-layout'), { imageLayoutVersion: '1.0.0' })
  assert.deepEqual(read('repositories'), {
    'q/child': { '1': layers[1]?.slice(7), '2': layers[1]?.slice(7) },
    base: { '1': layers[0]?.slice(7) },
  })
  const [first] = read('index.json').manifests
  assert.deepEqual(first.annotations, {
    'io.containerd.image.name': 'docker.io/q/child:2',
    'org.opencontainers.image.ref.name': '2',
  })
  assert.equal(read(path(first.digest)).config.digest, child.id)
  assert.equal(files.size, 4 + 2 + 6)
  assert.deepEqual((await eventLog()).slice(-2), [`save ${child.id}`, `save ${base.id}`])
})

test('save() of a bare name takes all its tags, of an id none', async (t) => {
  const { images, load } = await setUp(t)
  const { id, archive } = await simpleArchive('a', ['a:1', 'a:2', 'b:1'])
  await load(archive)
  const tagsOf = async (reference: string) =>
    JSON.parse((await unpackTar(await images.save([reference]))).get('manifest.json') ?? '')[0].RepoTags
  assert.deepEqual(await tagsOf('a'), ['a:1', 'a:2'])
  assert.deepEqual(await tagsOf('b:1'), ['b:1'])
  assert.equal(await tagsOf(id.slice(7, 19)), null)
})

test('save() and load() are inverse, digests included', async (t) => {
  const from = await setUp(t)
  const to = await setUp(t)
  const { id, archive } = await simpleArchive('a', ['a:1'])
  await from.load(archive)
  assert.deepEqual(await to.load(await from.images.save(['a:1'])), ['Loaded image: a:1'])
  assert.deepEqual(await to.images.resolve(id), await from.images.resolve(id))
})

test('save() names what is absent', async (t) => {
  const { images, load } = await setUp(t)
  await load((await simpleArchive('a', ['a:1'])).archive)
  await assert.rejects(images.save(['nope']), { kind: 'notFound', message: 'No such image: nope' })
  await assert.rejects(images.save(['a:1', 'abcdef']), { kind: 'notFound', message: 'No such image: abcdef' })
  await assert.rejects(images.save(['a:2']), { kind: 'notFound', message: 'reference does not exist' })
  await assert.rejects(images.save(['a:1'], { platform: 'linux/arm64' }), { kind: 'notFound' })
})

test('save() that its reader gives up lets removed images be freed', async (t) => {
  const { images, load, content } = await setUp(t)
  await load((await simpleArchive('a', ['a:1'])).archive)
  const stream = await images.save(['a:1'])
  await stream[Symbol.asyncIterator]().next()
  await images.remove('a:1', { force: false, prune: true })
  stream.destroy()
  await images[Symbol.asyncDispose]()
  assert.deepEqual(content.list(), [])
})

test('save() fails where the disk has changed a blob, until the image is loaded again', async (t) => {
  const { images, load, content } = await setUp(t)
  const image = build([await layerOf('a')])
  await load([await dockerArchive({ ...image, tags: ['base:1'] })])
  const [layer] = (await images.resolve('base:1')).config.rootfs.diff_ids
  assert.ok(layer)
  const bytes = readFileSync(content.pathOf(layer))
  bytes[600] = (bytes[600] ?? 0) ^ 1
  writeFileSync(content.pathOf(layer), bytes)
  const archive = await images.save(['base:1'])
  await assert.rejects(unpackTar(archive), new RegExp(`blob ${layer} is corrupt on disk`))
  await load([await dockerArchive({ ...image, tags: ['base:1'] })])
  assert.ok((await unpackTar(await images.save(['base:1']))).has(`blobs/${layer.replace(':', '/')}`))
})
