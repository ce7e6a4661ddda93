import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { tarEntry, writeTar } from '@berth/archive'
import { silentLogger } from '@berth/base'
import { openDatabase } from '@berth/database'
import { type Digest, sha256 } from '@berth/oci'
import { openStorage, type Storage } from './open-storage.ts'

async function withStorage(work: (storage: Storage) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'berth-storage-'))
  try {
    using database = openDatabase(':memory:')
    await using storage = await openStorage({ root, database, logger: silentLogger })
    await work(storage)
  } finally {
    rmSync(root, { recursive: true })
  }
}

async function putLayer({ content, snapshots }: Storage, path: string, parent?: Digest) {
  const { digest } = await content.ingest(writeTar([{ entry: tarEntry({ path }) }]))
  const { chainId } = await snapshots.unpack(parent, { path: content.pathOf(digest), blobDigest: digest })
  return { digest, chainId }
}

test('collect() frees what no root and no container reaches', () =>
  withStorage(async (storage) => {
    const base = await putLayer(storage, 'base')
    const kept = await putLayer(storage, 'kept', base.chainId)
    const used = await putLayer(storage, 'used', base.chainId)
    const lost = await putLayer(storage, 'lost', base.chainId)
    using _ = storage.addRoots(() => ({ blobs: [base.digest, kept.digest], chainIds: [kept.chainId] }))
    await storage.snapshots.prepare('container', used.chainId)
    const freed = await storage.collect()
    assert.deepEqual(freed, { blobBytes: 2 * 1536, layerBytes: 0 })
    assert.deepEqual(new Set(storage.content.list().map(({ digest }) => digest)), new Set([base.digest, kept.digest]))
    const chainIds = [base, kept, used].map(({ chainId }) => chainId)
    assert.deepEqual(new Set(storage.snapshots.listCommitted().map(({ chainId }) => chainId)), new Set(chainIds))
    assert.equal(storage.snapshots.has(lost.chainId), false)
  }))

test('collect() leaves work in flight alone', () =>
  withStorage(async (storage) => {
    const older = await putLayer(storage, 'older')
    const old = await storage.content.put(Buffer.from('old'))
    {
      using lease = storage.leases.acquire()
      lease.keep(older.digest, older.chainId, old.digest)
      const newer = await putLayer(storage, 'newer')
      assert.deepEqual(await storage.collect(), { blobBytes: 0, layerBytes: 0 })
      assert.equal(storage.snapshots.has(newer.chainId), true)
    }
    assert.ok((await storage.collect()).blobBytes > 0)
    assert.deepEqual([storage.content.list(), storage.snapshots.listCommitted()], [[], []])
    assert.equal(storage.content.info(sha256('old')), undefined)
  }))
