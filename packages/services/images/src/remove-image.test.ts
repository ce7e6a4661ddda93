import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { type Descriptor, parseReference } from '@berth/oci'
import { ImageStore } from './image-store.ts'
import type { ImageUse } from './images.ts'
import { blob, blobPath, build, json, layerOf, setUp, simpleArchive, tarOf } from './testing/fixture.ts'

const containerId = 'c'.repeat(64)
const gently = { force: false, prune: true }
const forced = { force: true, prune: true }

async function oneImage(t: TestContext, tags: readonly string[] | null = ['a:1']) {
  const fixture = await setUp(t)
  const built = await simpleArchive('a', tags)
  await fixture.load(built.archive)
  const [layer] = (await fixture.images.resolve(built.id)).config.rootfs.diff_ids
  const use = (running: boolean): ImageUse => ({ containerId, imageId: built.id, running })
  return { ...fixture, id: built.id, short: built.id.slice(7, 19), layer, use }
}

test('remove() of the last name deletes the image and frees all of it', async (t) => {
  const { images, id, layer, content, snapshots, eventLog } = await oneImage(t)
  const items = await images.remove('a:1', gently)
  assert.deepEqual(items, [{ Untagged: 'a:1' }, { Deleted: id }, { Deleted: layer }])
  assert.deepEqual([content.list(), snapshots.listCommitted()], [[], []])
  assert.deepEqual((await eventLog()).slice(1), [`untag ${id}`, `delete ${id}`])
})

test('remove() of one of several names only untags', async (t) => {
  const { images, id } = await oneImage(t, ['a:1', 'b:1'])
  assert.deepEqual(await images.remove('b:1', gently), [{ Untagged: 'b:1' }])
  assert.deepEqual((await images.resolve(id)).repoTags, ['a:1'])
})

test('remove() by id of an image of several names must be forced', async (t) => {
  const { images, id, short, layer } = await oneImage(t, ['a:1', 'a:2'])
  await assert.rejects(images.remove(short, gently), {
    kind: 'conflict',
    message: `conflict: unable to delete ${short} (must be forced) - image is referenced in multiple repositories`,
  })
  const items = await images.remove(short, forced)
  assert.deepEqual(items, [{ Untagged: 'a:1' }, { Untagged: 'a:2' }, { Deleted: id }, { Deleted: layer }])
})

test('remove() by id takes the only name with it', async (t) => {
  const { images, id, layer } = await oneImage(t)
  assert.deepEqual(await images.remove(id, gently), [{ Untagged: 'a:1' }, { Deleted: id }, { Deleted: layer }])
})

test('remove() spares what a running container uses', async (t) => {
  const { images, uses, use, id, short } = await oneImage(t)
  uses.push(use(true))
  const usedBy = 'image is being used by running container cccccccccccc'
  const refusal = { kind: 'conflict', message: `conflict: unable to delete ${short} (cannot be forced) - ${usedBy}` }
  await assert.rejects(images.remove(id, gently), refusal)
  await assert.rejects(images.remove(id, forced), refusal)
  await assert.rejects(images.remove('a:1', gently), {
    kind: 'conflict',
    message: `conflict: unable to remove repository reference "a:1" (must force) - container cccccccccccc is using its referenced image ${short}`,
  })
  assert.deepEqual(await images.remove('a:1', forced), [{ Untagged: 'a:1' }])
  assert.equal((await images.list({})).length, 1)
})

test('remove() of what a stopped container uses must be forced, and leaves it its layers', async (t) => {
  const { images, uses, use, id, short, layer, snapshots } = await oneImage(t)
  uses.push(use(false))
  await snapshots.prepare(containerId, layer)
  const usedBy = 'image is being used by stopped container cccccccccccc'
  const message = `conflict: unable to delete ${short} (must be forced) - ${usedBy}`
  await assert.rejects(images.remove(id, gently), { kind: 'conflict', message })
  assert.deepEqual(await images.remove(id, forced), [{ Untagged: 'a:1' }, { Deleted: id }])
  assert.equal(snapshots.listCommitted().length, 1)
})

/** base (untagged when `baseTag` is null) <- child. */
async function family(t: TestContext, baseTag: string | null) {
  const fixture = await setUp(t)
  const base = build([await layerOf('base')])
  const child = build([...base.layers, await layerOf('child')])
  const items = [
    {
      Config: blobPath(base.configBytes),
      RepoTags: baseTag === null ? null : [baseTag],
      Layers: base.layers.map(blobPath),
    },
    { Config: blobPath(child.configBytes), RepoTags: ['child:1'], Layers: child.layers.map(blobPath), Parent: base.id },
  ]
  await fixture.load([
    await tarOf(json('manifest.json', items), ...[base.configBytes, child.configBytes, ...child.layers].map(blob)),
  ])
  return { ...fixture, base: base.id, child: child.id }
}

test('remove() refuses a parent by id, and only untags it by name', async (t) => {
  const { images, base } = await family(t, 'base:1')
  await assert.rejects(images.remove(base, forced), {
    message: `conflict: unable to delete ${base.slice(7, 19)} (cannot be forced) - image has dependent child images`,
  })
  assert.deepEqual(await images.remove('base:1', gently), [{ Untagged: 'base:1' }])
})

test('remove() takes nameless parents along unless told not to', async (t) => {
  const { images, base, child, snapshots } = await family(t, null)
  const items = await images.remove('child:1', gently)
  assert.deepEqual(
    items.map(({ Deleted }) => Deleted).filter((id) => id === base || id === child),
    [child, base],
  )
  assert.deepEqual(snapshots.listCommitted(), [])
})

test('remove() without prune leaves the parent', async (t) => {
  const { images, base } = await family(t, null)
  await images.remove('child:1', { force: false, prune: false })
  assert.deepEqual(
    (await images.list({})).map(({ id }) => id),
    [base],
  )
})

test('remove() keeps the layers and blobs that another image shares', async (t) => {
  const { images, snapshots } = await family(t, 'base:1')
  const items = await images.remove('child:1', gently)
  assert.equal(items.length, 3)
  assert.equal(snapshots.listCommitted().length, 1)
  await images.ensureUnpacked(await images.resolve('base:1'))
})

test('prune() tells of no layer that others keep, nor of what is beneath it', async (t) => {
  const { images, snapshots } = await family(t, 'base:1')
  const [base, child] = snapshots.listCommitted().map(({ chainId }) => chainId)
  images.spare(() => ({ blobs: [], chainIds: [child!] }))
  const { deleted, reclaimedBytes } = await images.prune({ dangling: ['false'] })
  const layers = deleted.flatMap(({ Deleted }) => (Deleted === base || Deleted === child ? [Deleted] : []))
  assert.deepEqual([layers, reclaimedBytes, deleted.length], [[], 0, 4])
})

test('remove() of what is absent is notFound', async (t) => {
  const { images } = await setUp(t)
  await assert.rejects(images.remove('nope', forced), { kind: 'notFound', message: 'No such image: nope:latest' })
})

test('prune() removes the dangling, and with dangling=false all that is not used', async (t) => {
  const { images, load, uses, eventLog } = await setUp(t)
  const bare = await simpleArchive('bare', null)
  const tagged = await simpleArchive('tagged', ['t:1', 't:2'])
  const used = await simpleArchive('used', ['u:1'])
  for (const { archive } of [bare, tagged, used]) await load(archive)
  uses.push({ containerId, imageId: used.id, running: false })
  const first = await images.prune({})
  assert.deepEqual([first.deleted[0], first.deleted.length, first.reclaimedBytes], [{ Deleted: bare.id }, 2, 4])
  const second = await images.prune({ dangling: ['false'] })
  assert.deepEqual(second.deleted.slice(0, 3), [{ Untagged: 't:1' }, { Untagged: 't:2' }, { Deleted: tagged.id }])
  assert.equal(second.reclaimedBytes, 6)
  assert.deepEqual(
    (await images.list({ all: true })).map(({ id }) => id),
    [used.id],
  )
  assert.equal((await eventLog()).at(-1), 'prune')
})

test('prune() heeds label, label! and until', async (t) => {
  const { images, load } = await setUp(t)
  const one = await simpleArchive('one', null, { config: { Labels: { keep: '1' } } })
  const two = await simpleArchive('two', null, { created: '2024-06-01T00:00:00Z' })
  for (const { archive } of [one, two]) await load(archive)
  const pruned = async (filters: Record<string, string[]>) => (await images.prune(filters)).deleted[0]?.Deleted
  assert.equal(await pruned({ until: ['2023-01-01'] }), undefined)
  assert.equal(await pruned({ label: ['none'] }), undefined)
  assert.equal(await pruned({ 'label!': ['keep'] }), two.id)
  assert.equal(await pruned({ label: ['keep=1'] }), one.id)
  await assert.rejects(images.prune({ foo: [] }), { message: "invalid filter 'foo'" })
  await assert.rejects(images.prune({ until: ['1s', '2s'] }), { message: 'more than one until filter specified' })
})

test('tag() moves a name, announces it and refuses bad targets', async (t) => {
  const { images, load, eventLog } = await setUp(t)
  await load((await simpleArchive('a', ['a:1'])).archive)
  await load((await simpleArchive('b', ['b:1'])).archive)
  await images.tag('b:1', 'a:1')
  assert.deepEqual((await images.resolve('b:1')).repoTags, ['a:1', 'b:1'])
  assert.notEqual((await images.resolve('b:1')).lastTaggedAt, '0001-01-01T00:00:00Z')
  assert.equal((await eventLog()).at(-1), 'tag a:1')
  const f64 = 'f'.repeat(64)
  const table: Record<string, string> = {
    'I-base': 'invalid reference format: repository name (library/I-base) must be lowercase',
    sha256: 'refusing to create an ambiguous tag using digest algorithm as name',
    [`x@sha256:${f64}`]: 'cannot import digest reference',
    [f64]: `invalid repository name (${f64}), cannot specify 64-byte hexadecimal strings`,
  }
  for (const [target, message] of Object.entries(table)) {
    await assert.rejects(images.tag('nope', target), { kind: 'invalid', message })
  }
  await assert.rejects(images.tag('nope', 'x'), { kind: 'notFound', message: 'No such image: nope:latest' })
})

/** An image as a pull leaves it: its repository's digest beside the tags. */
async function pulled(t: TestContext, digestNames: readonly string[], tags: readonly string[] | null) {
  const { load, database, content, reopen } = await setUp(t)
  const { id, archive } = await simpleArchive('a', tags)
  await load(archive)
  const store = new ImageStore(database)
  const target = store.images.get(id)?.manifest as Descriptor
  const names = digestNames.map((name) => parseReference(`${name}@${target.digest}`))
  store.commit(names.map((reference) => ({ kind: 'putName', name: { reference, target, images: [id] } })))
  return { images: await reopen(), id, digest: target.digest, content }
}

test('remove() of the last tag of a repository takes its digest along', async (t) => {
  const { images, digest, id, content } = await pulled(t, ['a'], ['a:1', 'a:2'])
  assert.deepEqual((await images.resolve(`a@${digest}`)).repoDigests, [`a@${digest}`])
  assert.equal((await images.resolve(`a:9@${digest}`)).id, id)
  assert.deepEqual(await images.remove('a:1', gently), [{ Untagged: 'a:1' }])
  const items = await images.remove('a:2', gently)
  assert.deepEqual(items.slice(0, 3), [{ Untagged: 'a:2' }, { Untagged: `a@${digest}` }, { Deleted: id }])
  assert.deepEqual(content.list(), [])
})

test('remove() by id takes a tag and its digest, but not those of two repositories', async (t) => {
  const one = await pulled(t, ['a'], ['a:1'])
  assert.equal((await one.images.remove(one.id, gently)).length, 4)
  const two = await pulled(t, ['a', 'b'], ['a:1'])
  await assert.rejects(two.images.remove(two.id, gently), { message: /image is referenced in multiple repositories$/ })
})

test('prune() takes an image that has only digests, as dangling', async (t) => {
  const { images, id, digest } = await pulled(t, ['a'], null)
  assert.deepEqual(
    (await images.list({ filters: { dangling: ['true'] } })).map((image) => image.repoDigests),
    [[`a@${digest}`]],
  )
  const { deleted } = await images.prune({})
  assert.deepEqual(deleted.slice(0, 2), [{ Untagged: `a@${digest}` }, { Deleted: id }])
})
