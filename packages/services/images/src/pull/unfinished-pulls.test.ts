import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { openDatabase } from '@berth/database'
import { sha256 } from '@berth/oci'
import { nothingLeft, setUpRegistry } from '../testing/registry-fixture.ts'
import { UnfinishedPulls } from './unfinished-pulls.ts'

const [a, b] = [sha256(Buffer.from('a')), sha256(Buffer.from('b'))]
const setOf = (pulls: UnfinishedPulls) => [[...pulls.roots().blobs], [...pulls.roots().chainIds]]

test('UnfinishedPulls keeps what was noted until it is settled, also for its successor', () => {
  using database = openDatabase(':memory:')
  const pull = new UnfinishedPulls(database).open()
  pull.note({ blobs: [a], chainIds: [b] })
  const later = new UnfinishedPulls(database)
  assert.deepEqual(setOf(later), [[a], [b]])
  pull.settle()
  assert.deepEqual(setOf(later), [[], []])
})

test('UnfinishedPulls keeps nothing for more than a day', () => {
  using database = openDatabase(':memory:')
  let now = 1_800_000_000_000
  const pulls = new UnfinishedPulls(database, () => now)
  pulls.open().note({ blobs: [a], chainIds: [] })
  now += 23 * 3600_000
  assert.deepEqual(setOf(pulls), [[a], []])
  now += 2 * 3600_000
  assert.deepEqual(setOf(pulls), [[], []])
  assert.deepEqual(pulls.open().note({ blobs: [b], chainIds: [] }), { blobs: [a], chainIds: [] })
  assert.deepEqual(pulls.open().note({ blobs: [b], chainIds: [] }), { blobs: [], chainIds: [] })
})

const twoLayers = (bytes: number) => ({
  layers: [0, 1].map((i) => [{ path: `f${i}`, content: randomBytes(bytes) }]),
  tag: '1',
})

test('pull() whose connection breaks leaves its finished layers to the next', async (t) => {
  const { registry, pull, images, blobRequests } = await setUpRegistry(t, { settings: { attempts: 1 } })
  const { layers } = registry.addImage('team/app', twoLayers(2_000_000))
  const [first, second] = layers.map(({ digest }) => digest)
  const broken = registry.misbehave({ on: 'blob', path: second!, how: { kind: 'stall', afterBytes: 10_000 } })
  await assert.rejects(pull('team/app:1'), /i\/o timeout/)
  broken[Symbol.dispose]()
  registry.forget()
  await images[Symbol.asyncDispose]()
  await pull('team/app:1')
  assert.ok(!blobRequests().some((line) => line.startsWith(first!)))
})

test('pull() that a registry sends something wrong leaves nothing', async (t) => {
  const { registry, pull, left } = await setUpRegistry(t)
  // Less than what is kept of the other one, which may just be on its way when this one is found out.
  const { layers } = registry.addImage('team/app', twoLayers(500_000))
  registry.misbehave({ on: 'blob', path: layers[1]!.digest, how: { kind: 'corrupt' } })
  await assert.rejects(pull('team/app:1'))
  assert.deepEqual(await left(), nothingLeft)
})

test('prune() frees what nobody came back for, and tells the bytes; by label it frees images only', async (t) => {
  const { images, content, database, root } = await setUpRegistry(t)
  const { digest } = await content.put(Buffer.alloc(1000))
  database.prepare('INSERT INTO image_unfinished VALUES (?, ?, ?)').run(digest, 'blob', 0)
  const partial = join(root, 'content', 'partial', `sha256-${'a'.repeat(64)}`)
  await writeFile(partial, Buffer.alloc(2 << 20))
  await utimes(partial, 1, 1)
  assert.equal((await images.prune({ label: ['a'] })).reclaimedBytes, 0)
  assert.equal((await images.prune({})).reclaimedBytes, 1000 + (2 << 20))
  assert.deepEqual([content.info(digest), existsSync(partial)], [undefined, false])
  assert.equal((await images.prune({})).reclaimedBytes, 0)
})

test('prune() leaves what may still be continued', async (t) => {
  const { images, content, database, root } = await setUpRegistry(t)
  const { digest } = await content.put(Buffer.alloc(1000))
  database.prepare('INSERT INTO image_unfinished VALUES (?, ?, ?)').run(digest, 'blob', Date.now())
  const partial = join(root, 'content', 'partial', `sha256-${'a'.repeat(64)}`)
  await writeFile(partial, Buffer.alloc(2 << 20))
  assert.equal((await images.prune({})).reclaimedBytes, 0)
  assert.deepEqual([content.info(digest)?.sizeBytes, existsSync(partial)], [1000, true])
})

test('pull() frees what nobody came back for', async (t) => {
  const { registry, pull, images, content, database } = await setUpRegistry(t)
  const { digest } = await content.put(Buffer.from('of an image that nobody pulled again'))
  database.prepare('INSERT INTO image_unfinished VALUES (?, ?, ?)').run(digest, 'blob', 0)
  registry.addImage('team/app', { layers: [[{ path: 'a', content: 'a' }]], tag: '1' })
  await pull('team/app:1')
  await images[Symbol.asyncDispose]()
  assert.equal(content.info(digest), undefined)
})
