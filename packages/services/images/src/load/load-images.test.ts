import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { tarEntry } from '@berth/archive'
import { formatPlatform, hostPlatform, mediaTypes, sha256 } from '@berth/oci'
import {
  blob,
  blobPath,
  build,
  type Built,
  dockerArchive,
  file,
  json,
  layerOf,
  link,
  setUp,
  simpleArchive,
  tarOf,
} from '../testing/fixture.ts'

test('load() keeps the images of a docker archive under their tags', async (t) => {
  const { load, images, eventLog } = await setUp(t)
  const built = build([await layerOf('a'), await layerOf('b')], { config: { Labels: { x: 'y' } } })
  const archive = [await dockerArchive({ ...built, tags: ['one:1', 'localhost:5000/two:latest'] })]
  assert.deepEqual(await load(archive), ['Loaded image: one:1', 'Loaded image: localhost:5000/two:latest'])
  const image = await images.resolve('one:1')
  assert.deepEqual([image.id, image.repoTags, image.sizeBytes], [built.id, ['one:1', 'localhost:5000/two:latest'], 2])
  assert.equal(image.lastTaggedAt, '0001-01-01T00:00:00Z')
  assert.deepEqual(await eventLog(), [`load ${built.id}`])
})

test('load() says the id of an image without a tag', async (t) => {
  const { load } = await setUp(t)
  const { id, archive } = await simpleArchive('a', null)
  assert.deepEqual(await load(archive), [`Loaded image ID: ${id}`])
})

test('load() reads gzip and zstd archives with compressed layers', async (t) => {
  const { load, images, content } = await setUp(t)
  const layers = [await layerOf('a'), await layerOf('b')] as const
  const built = build(layers)
  const packed = [gzipSync(layers[0]), zstdCompressSync(layers[1])]
  const item = { Config: blobPath(built.configBytes), RepoTags: ['a:1'], Layers: packed.map(blobPath) }
  const tar = await tarOf(json('manifest.json', [item]), ...packed.map(blob), blob(built.configBytes))
  for (const archive of [gzipSync(tar), zstdCompressSync(tar)])
    assert.deepEqual(await load([archive]), ['Loaded image: a:1'])
  const manifest = JSON.parse((await content.read((await images.resolve('a:1')).manifest, 10_000)).toString())
  const types = manifest.layers.map(({ mediaType }: { mediaType: string }) => mediaType)
  assert.deepEqual(types, [mediaTypes.layerGzip, mediaTypes.layerZstd])
})

test('load() over a name leaves the old image dangling', async (t) => {
  const { load, images } = await setUp(t)
  const old = await simpleArchive('old', ['a:1'])
  const fresh = await simpleArchive('fresh', ['a:1'])
  await load(old.archive)
  const renaming = `The image a:1 already exists, renaming the old one with ID ${old.id} to empty string`
  assert.deepEqual(await load(fresh.archive), [renaming, 'Loaded image: a:1'])
  assert.deepEqual(
    (await images.list({ filters: { dangling: ['true'] } })).map(({ id }) => id),
    [old.id],
  )
})

test('load() of an image that is here unpacks nothing and keeps it', async (t) => {
  const { load, snapshots, content } = await setUp(t)
  const { archive } = await simpleArchive('a', ['a:1'])
  await load(archive)
  const before = content.list().length
  await load(archive)
  assert.deepEqual([snapshots.unpacked.length, content.list().length], [1, before])
})

test('load() reports the layers that it unpacks unless told to be quiet', async (t) => {
  const { load, messages } = await setUp(t)
  const { archive, layers } = await simpleArchive('a', ['a:1'])
  await load(archive, { quiet: false })
  const id = sha256(layers[0] as Buffer).slice(7, 19)
  assert.deepEqual(messages[1], {
    status: 'Loading layer',
    progressDetail: { current: 2048, total: 2048 },
    progress: `[${'='.repeat(50)}>]  2.048kB/2.048kB`,
    id,
  })
})

test('load() takes only the images of the platform that was asked for', async (t) => {
  const { load, images } = await setUp(t)
  const arm = build([await layerOf('arm')], { architecture: 'arm64' })
  const amd = build([await layerOf('amd')])
  const archive = [await dockerArchive({ ...arm, tags: ['arm:1'] }, { ...amd, tags: ['amd:1'] })]
  assert.deepEqual(await load(archive, { platform: 'linux/arm64' }), ['Loaded image: arm:1'])
  assert.deepEqual(await load(archive, { platform: 'linux/s390x' }), [])
  assert.equal((await images.list({})).length, 1)
})

test('load() follows links of the old layout, where layers are files in directories', async (t) => {
  const { load, images } = await setUp(t)
  const [a, b] = [await layerOf('a'), await layerOf('b')]
  const built = build([a, b, a])
  const config = `${built.id.slice(7)}.json`
  const item = { Config: config, RepoTags: ['old:1'], Layers: ['1/layer.tar', '2/layer.tar', '3/layer.tar'] }
  const tar = await tarOf(
    link('3/layer.tar', '../1/layer.tar'),
    { entry: tarEntry({ path: '1/', type: 'directory' }) },
    file('./1/layer.tar', a),
    file('2/layer.tar', b),
    file(config, built.configBytes),
    json('manifest.json', [item]),
  )
  assert.deepEqual(await load([tar]), ['Loaded image: old:1'])
  assert.equal((await images.resolve('old:1')).id, built.id)
})

test('load() derives the config of an archive from before manifest.json', async (t) => {
  const { load, images } = await setUp(t)
  const [a, b] = ['a'.repeat(64), 'b'.repeat(64)] as const
  const tar = await tarOf(
    json('repositories', { 'very/old': { '1': b } }),
    json(`${a}/json`, { id: a, os: 'linux', architecture: 'amd64', container_config: { Cmd: ['ADD', 'x'] } }),
    file(`${a}/layer.tar`, await layerOf('a')),
    json(`${b}/json`, { id: b, parent: a, created: '2014-01-01T00:00:00Z', config: { Cmd: ['sh'] }, author: 'me' }),
    file(`${b}/layer.tar`, await layerOf('b')),
  )
  assert.deepEqual(await load([tar]), ['Loaded image: very/old:1'])
  const { config } = await images.resolve('very/old:1')
  assert.deepEqual([config.config?.Cmd, config.author, config.rootfs.diff_ids.length], [['sh'], 'me', 2])
  assert.deepEqual(
    (await images.history('very/old:1')).map(({ CreatedBy }) => CreatedBy),
    ['', 'ADD x'],
  )
})

/** The OCI documents of images, by index.json entry. */
function ociParts(built: Built, platform = { os: 'linux', architecture: 'amd64' }) {
  const describe = (bytes: Buffer, mediaType: string) => ({ mediaType, digest: sha256(bytes), size: bytes.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: describe(built.configBytes, mediaTypes.config),
      layers: built.layers.map((layer) => describe(layer, mediaTypes.layerTar)),
    }),
  )
  const blobs = [manifest, built.configBytes, ...built.layers].map(blob)
  return { manifest, blobs, descriptor: { ...describe(manifest, mediaTypes.manifest), platform } }
}

const named = (name: string) => ({ annotations: { 'io.containerd.image.name': name } })

test('load() reads an OCI layout without manifest.json and keeps its manifest', async (t) => {
  const { load, images } = await setUp(t)
  const { manifest, blobs, descriptor } = ociParts(build([await layerOf('a')]))
  const index = { schemaVersion: 2, manifests: [{ ...descriptor, ...named('docker.io/library/a:1') }] }
  const layout = json('oci-layout', { imageLayoutVersion: '1.0.0' })
  assert.deepEqual(await load([await tarOf(...blobs, layout, json('index.json', index))]), ['Loaded image: a:1'])
  assert.equal((await images.resolve('a:1')).manifest, sha256(manifest))
})

/** The index m:1 of an image for this host and one for s390x; a third one is absent. */
async function indexArchive() {
  const host = hostPlatform()
  const own = build([await layerOf('own')], host)
  const other = build([await layerOf('other')], { architecture: 's390x' })
  const absent = build([await layerOf('absent')], { architecture: 'riscv64' })
  const parts = [ociParts(other, { os: 'linux', architecture: 's390x' }), ociParts(own, host)]
  const gone = ociParts(absent, { os: 'linux', architecture: 'riscv64' })
  const attestation = { ...gone.descriptor, platform: { os: 'unknown', architecture: 'unknown' } }
  const list = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.index,
      manifests: [...parts.map(({ descriptor }) => descriptor), gone.descriptor, attestation],
    }),
  )
  const root = {
    mediaType: mediaTypes.index,
    digest: sha256(list),
    size: list.length,
    ...named('docker.io/library/m:1'),
  }
  const tar = await tarOf(
    json('index.json', { schemaVersion: 2, manifests: [root] }),
    blob(list),
    ...parts.flatMap(({ blobs }) => blobs),
  )
  return { tar, own, other, list }
}

test('load() keeps an index, with the image of this host first and the others hidden behind it', async (t) => {
  const { load, images, reopen, snapshots } = await setUp(t)
  const { tar, own, other, list } = await indexArchive()
  assert.deepEqual(await load([tar]), ['Loaded image: m:1'])
  for (const service of [images, await reopen()]) {
    assert.equal((await service.resolve('m:1')).id, own.id)
    assert.equal((await service.resolve('m:1', 'linux/s390x')).id, other.id)
    assert.deepEqual(
      (await service.list({ all: true })).map(({ id }) => id),
      [own.id],
    )
    assert.ok(service.gcRoots().blobs.has(sha256(list)))
  }
  assert.equal(snapshots.unpacked.length, 1)
  await images.ensureUnpacked(await images.resolve('m:1', 'linux/s390x'))
  assert.equal(snapshots.unpacked.length, 2)
  const removed = await images.remove('m:1', { force: false, prune: true })
  assert.deepEqual(removed.map(({ Deleted }) => Deleted).filter(Boolean).length, 4)
  assert.deepEqual([snapshots.listCommitted(), (await images.list({ all: true })).length], [[], 0])
})

test('remove() of a platform leaves the others to the name', async (t) => {
  const { load, images, uses } = await setUp(t)
  const { tar, own, other } = await indexArchive()
  await load([tar])
  const gently = { force: false, prune: true }
  await assert.rejects(images.remove('m:1', { ...gently, platform: 'linux/riscv64' }), { kind: 'notFound' })
  const use = { containerId: 'c'.repeat(64), imageId: other.id, running: true }
  uses.push(use)
  await assert.rejects(images.remove('m:1', { ...gently, platform: 'linux/s390x' }), { kind: 'conflict' })
  uses.pop()
  const removed = await images.remove('m:1', { ...gently, platform: 'linux/s390x' })
  assert.deepEqual([removed[0], removed.some(({ Untagged }) => Untagged)], [{ Deleted: other.id }, false])
  assert.equal((await images.resolve('m:1')).id, own.id)
  await assert.rejects(images.resolve('m:1', 'linux/s390x'), { kind: 'notFound' })
  const [host] = await images.remove('m:1', { ...gently, platform: formatPlatform(hostPlatform()) })
  assert.deepEqual(host, { Untagged: 'm:1' })
})

test('load() links a child to the parent that came along', async (t) => {
  const { load, images } = await setUp(t)
  const base = build([await layerOf('a')])
  const child = build([...base.layers, await layerOf('b')])
  const archive = await dockerArchive({ ...base, tags: ['base:1'] }, { ...child, tags: ['child:1'] })
  const items = [
    { Config: blobPath(base.configBytes), RepoTags: ['base:1'], Layers: base.layers.map(blobPath) },
    { Config: blobPath(child.configBytes), RepoTags: ['child:1'], Layers: child.layers.map(blobPath), Parent: base.id },
  ]
  const tar = await tarOf(
    json('manifest.json', items),
    ...[base.configBytes, child.configBytes, ...child.layers].map(blob),
  )
  await load([tar])
  assert.equal((await images.resolve('child:1')).parent, base.id)
  await load([archive])
  assert.equal((await images.resolve('child:1')).parent, base.id)
})

/** An archive with one thing wrong, and what is said of it. */
async function hostile(): Promise<readonly (readonly [string, Promise<Buffer> | Buffer, RegExp])[]> {
  const layer = await layerOf('a')
  const other = await layerOf('b')
  const built = build([layer])
  const item = { Config: blobPath(built.configBytes), RepoTags: ['a:1'], Layers: [blobPath(layer)] }
  const parts = [blob(layer), blob(built.configBytes)]
  const withItem = (changes: object) => tarOf(...parts, blob(other), json('manifest.json', [{ ...item, ...changes }]))
  const withConfig = (config: object | string) => {
    const bytes = Buffer.from(typeof config === 'string' ? config : JSON.stringify(config))
    return tarOf(blob(layer), file('c.json', bytes), json('manifest.json', [{ ...item, Config: 'c.json' }]))
  }
  const whole = await tarOf(...parts, json('manifest.json', [item]))
  const big = Buffer.alloc(300 * 1024)
  return [
    ['nothing', Buffer.alloc(0), /not an image archive|truncated|empty|ends/i],
    ['garbage', Buffer.from('garbage'), /./],
    ['an archive cut off', whole.subarray(0, whole.length - 2000), /./],
    ['a root file system', tarOf(file('bin/sh', 'x')), /^not an image archive/],
    [
      'a blob that is not of its name',
      tarOf(file(blobPath(layer), other), json('manifest.json', [item])),
      /^blob has the digest/,
    ],
    [
      'a large blob that is not of its name',
      tarOf(file(blobPath(layer), big), json('manifest.json', [item])),
      /^blob has the digest/,
    ],
    ['manifest.json that is null', tarOf(json('manifest.json', null)), /^invalid manifest, manifest cannot be null/],
    ['manifest.json that is no list', tarOf(json('manifest.json', {})), /^manifest\.json: expected an array/],
    ['manifest.json that is no JSON', tarOf(file('manifest.json', '{')), /^manifest\.json: not valid JSON/],
    ['a missing config', withItem({ Config: 'nope' }), /"nope": no such file/],
    ['a config outside', withItem({ Config: '../../../../etc/passwd' }), /no such file/],
    [
      'a config that is a loop of links',
      tarOf(link('l', 'l'), json('manifest.json', [{ ...item, Config: 'l' }])),
      /"l": no such file/,
    ],
    [
      'a link out of the archive',
      tarOf(link('l', '/etc/passwd'), json('manifest.json', [{ ...item, Config: 'l' }])),
      /"l": no such file/,
    ],
    [
      'a name out of the archive',
      tarOf(file('../../x', 'x'), json('manifest.json', [item])),
      /leads out of the archive's root/,
    ],
    ['a bad tag', withItem({ RepoTags: ['BAD:x'] }), /must be lowercase/],
    ['no tag', withItem({ RepoTags: ['notag'] }), /^invalid tag "notag"$/],
    ['an ambiguous tag', withItem({ RepoTags: ['sha256:1'] }), /^refusing to create an ambiguous tag/],
    ['too few layers', withItem({ Layers: [] }), /^invalid manifest, layers length mismatch: expected 0, got 1$/],
    ['another layer', withItem({ Layers: [blobPath(other)] }), /diff id/i],
    ['a config without rootfs', withConfig({ os: 'linux' }), /^invalid image JSON, no RootFS key$/],
    [
      'a config with bad diff ids',
      withConfig({ rootfs: { diff_ids: ['sha256:../x'] } }),
      /diff_ids\[0\]: expected a digest/,
    ],
    [
      'an image for Windows',
      withConfig({ os: 'windows', rootfs: { diff_ids: [sha256(layer)] } }),
      /^cannot load windows image on linux$/,
    ],
    [
      'an index that is a manifest too',
      tarOf(json('index.json', { schemaVersion: 2, manifests: [], layers: [] })),
      /both layers and manifests/,
    ],
    [
      'an index of schema 1',
      tarOf(json('index.json', { schemaVersion: 1, fsLayers: [] })),
      /schema 1 is not supported/,
    ],
    ['an empty index', tarOf(json('index.json', { schemaVersion: 2, manifests: [] })), /names no image/],
    ['legacy ids that are paths', tarOf(json('repositories', { a: { b: '../../x' } })), /is no id$/],
    [
      'legacy parents in a circle',
      tarOf(
        json('repositories', { a: { b: 'c'.repeat(64) } }),
        json(`${'c'.repeat(64)}/json`, { parent: 'c'.repeat(64) }),
      ),
      /^max depth exceeded$/,
    ],
    [
      'a layer that is a damaged gzip',
      tarOf(
        file('l', gzipSync(layer).subarray(0, 60)),
        blob(built.configBytes),
        json('manifest.json', [{ ...item, Layers: ['l'] }]),
      ),
      /gzip/,
    ],
  ]
}

for (const [what, archive, message] of await hostile()) {
  test(`load() refuses ${what} and leaves nothing`, async (t) => {
    const { load, images, content, snapshots } = await setUp(t)
    const bytes = await archive
    await assert.rejects(load([bytes]), { kind: 'invalid', message })
    await images[Symbol.asyncDispose]()
    const left = [(await images.list({ all: true })).length, content.list(), snapshots.listCommitted()]
    assert.deepEqual(left, [0, [], []])
  })
}

test('load() does not trust an unpacked layer for the bytes of a compressed one', async (t) => {
  const { load, images } = await setUp(t)
  const layer = await layerOf('a')
  const first = build([layer])
  await load([await dockerArchive({ ...first, tags: ['a:1'] })])
  const second = build([layer], { author: 'mallory' })
  const wrong = gzipSync(await layerOf('evil'))
  const item = { Config: 'c', RepoTags: ['b:1'], Layers: ['l'] }
  const tar = await tarOf(file('c', second.configBytes), file('l', wrong), json('manifest.json', [item]))
  await assert.rejects(load([tar]), { kind: 'invalid', message: /^invalid diffID for layer sha256:/ })
  await assert.rejects(images.resolve('b:1'), { kind: 'notFound' })
})

test('load() of several images is all or nothing', async (t) => {
  const { load, images } = await setUp(t)
  const good = build([await layerOf('good')])
  const bad = { ...build([await layerOf('bad')]), tags: ['BAD:1'] }
  await assert.rejects(load([await dockerArchive({ ...good, tags: ['good:1'] }, bad)]))
  assert.deepEqual(await images.list({ all: true }), [])
})
