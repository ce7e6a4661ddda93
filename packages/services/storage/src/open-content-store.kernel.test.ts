import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '@berth/base'
import { openContentStore } from './open-content-store.ts'

async function* zeros(chunks: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < chunks; i++) yield Buffer.alloc(64 * 1024, i)
}

test('ingest() on a full disk fails, leaves nothing, and works again when there is room', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', root])
  t.after(() => {
    execFileSync('umount', [root])
    rmdirSync(root)
  })
  const store = await openContentStore({ root, logger: silentLogger })
  const kept = await store.put(Buffer.from('kept'))
  const full = { kind: 'internal', message: /^content: cannot store a blob: ENOSPC/ }
  await assert.rejects(store.ingest(zeros(32)), full)
  assert.deepEqual(
    [store.list().map(({ digest }) => digest), readdirSync(join(root, 'content/ingest'))],
    [[kept.digest], []],
  )
  const { sizeBytes } = await store.ingest(zeros(8))
  assert.deepEqual([sizeBytes, (await store.read(kept.digest, 10)).toString()], [8 * 64 * 1024, 'kept'])
})
