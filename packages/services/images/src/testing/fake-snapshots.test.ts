import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeSnapshots } from './fake-snapshots.ts'
import { layerOf } from './fixture.ts'

test('FakeSnapshots.unpack() finds a layer that was moved to its place, as the real ones do', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-fake-'))
  t.after(() => rmSync(root, { recursive: true }))
  const movedTo = join(root, 'layer')
  writeFileSync(movedTo, await layerOf('a', 'four'))
  const snapshots = new FakeSnapshots()
  assert.equal((await snapshots.unpack(undefined, { path: `${movedTo}.partial`, movedTo })).sizeBytes, 4)
  await assert.rejects(snapshots.unpack(undefined, { path: `${movedTo}.partial` }), { code: 'ENOENT' })
})
