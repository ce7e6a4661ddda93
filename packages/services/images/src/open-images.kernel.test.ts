import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { build, dockerArchive, file, layerOf, tarOf } from './testing/fixture.ts'
import { openAll } from './testing/load-archive.ts'

function temporaryRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'berth-images-'))
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  t.after(() => {
    assert.equal(readFileSync('/proc/self/mountinfo', 'utf8'), mounts)
    rmSync(root, { recursive: true })
  })
  return root
}

async function manyFiles(name: string): Promise<Buffer> {
  const files = Array.from({ length: 300 }, (_, i) => file(`${name}/${i}`, name.repeat(2000)))
  return await tarOf(...files)
}

test('load(), commit(), save() and remove() work on real snapshots and leave nothing', async (t) => {
  const root = temporaryRoot(t)
  await using all = await openAll(root)
  const { images, content, snapshots, storage } = all
  const built = build([await manyFiles('a'), await layerOf('b', 'bytes')])
  await images.load(Readable.from([await dockerArchive({ ...built, tags: ['base:1'] })]), { quiet: true }, () => {})
  const base = await images.resolve('base:1')
  assert.equal(base.sizeBytes, 300 * 2000 + 5)
  await snapshots.prepare('container', base.chainId)
  writeFileSync(join(snapshots.mount('container'), 'new'), 'changed')
  const layer = snapshots.diff('container')
  const request = {
    containerId: 'c'.repeat(64),
    layer,
    parent: base,
    containerConfig: {},
    changes: [],
    reference: 'child:1',
  }
  await images.commit(request)
  await snapshots.remove('container')
  assert.equal((await images.resolve('child:1')).sizeBytes, base.sizeBytes + 7)
  const saved = Buffer.concat(await Array.fromAsync(await images.save(['child:1'])))
  for (const name of ['child:1', 'base:1']) await images.remove(name, { force: false, prune: true })
  assert.deepEqual(
    [content.list(), snapshots.listCommitted(), await storage.collect()],
    [[], [], { blobBytes: 0, layerBytes: 0 }],
  )
  await images.load(Readable.from([saved]), { quiet: true }, () => {})
  assert.equal((await images.resolve('child:1')).sizeBytes, base.sizeBytes + 7)
  await images.remove('child:1', { force: false, prune: true })
})

test('load() that is killed at any moment leaves no half image', async (t) => {
  const root = temporaryRoot(t)
  const archive = join(root, 'archive.tar')
  const built = build(await Promise.all(['a', 'b', 'c'].map(manyFiles)))
  writeFileSync(archive, await dockerArchive({ ...built, tags: ['x:1', 'x:2'] }))
  for (let round = 0; round < 8; round++) {
    await killDuringLoad(root, archive, round * 15)
    await using all = await openAll(root)
    const tags = (await all.images.list({ all: true })).flatMap(({ repoTags }) => repoTags)
    assert.ok(tags.length === 0 || tags.join() === 'x:1,x:2', tags.join())
    assert.deepEqual(readdirSync(join(root, 'content/ingest')), [])
    await all.storage.collect()
    const { blobs, chainIds } = all.images.gcRoots()
    const left = [all.content.list().length, all.snapshots.listCommitted().length]
    assert.deepEqual(left, [blobs.size, chainIds.size])
    if (tags.length > 0) await all.images.remove(built.id, { force: true, prune: true })
  }
  await using all = await openAll(root)
  await all.images.load(Readable.from([readFileSync(archive)]), { quiet: true }, () => {})
  assert.deepEqual((await all.images.resolve('x:1')).repoTags, ['x:1', 'x:2'])
})

async function killDuringLoad(root: string, archive: string, afterMs: number): Promise<void> {
  const child = fork(new URL('./testing/load-archive.ts', import.meta.url), [root, archive], { stdio: 'inherit' })
  const exited = once(child, 'exit')
  await once(child, 'message')
  await Promise.race([delay(afterMs), exited])
  child.kill('SIGKILL')
  await exited
}
