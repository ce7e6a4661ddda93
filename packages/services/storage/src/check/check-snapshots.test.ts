import { openDatabase } from '@berth/database'
import { sha256 } from '@berth/oci'
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { planDirectories } from '../snapshots/directories.ts'
import { SnapshotTable } from '../snapshots/snapshot-table.ts'
import { checkSnapshots } from './check-snapshots.ts'

test('checkSnapshots() names whatever stands on a layer that is not there, and mends nothing of it', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-check-'))
  t.after(() => rmSync(root, { recursive: true }))
  using database = openDatabase(':memory:')
  const table = new SnapshotTable(database)
  const directories = planDirectories(root)
  const [absent, upper] = [sha256(Buffer.from('absent')), sha256(Buffer.from('upper'))]
  const layer = { number: 1, chainId: upper, diffId: upper, parent: absent, sizeBytes: 1, createdMs: 1 }
  table.insertCommitted({ ...layer, unsyncedBoot: undefined }, () => {})
  table.insertActive({ number: 2, key: 'container', parent: upper }, () => {})
  for (const number of [1, 2]) mkdirSync(directories.files(number), { recursive: true })

  const trash = { take: () => assert.fail('something was thrown away') }
  const found = [...checkSnapshots({ table, directories, trash, isInUse: () => false })]
  assert.deepEqual(found, [
    { finding: { kind: 'missing-parent', subject: upper, message: `its parent ${absent} is not there` } },
    { finding: { kind: 'missing-parent', subject: 'container', message: 'a layer under it is not there' } },
  ])
})
