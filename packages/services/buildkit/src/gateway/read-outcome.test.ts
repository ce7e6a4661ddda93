import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { LLBBridge } from '@berth/buildkit-protocol'
import { readFile } from './read-outcome.ts'

test('readFile() reads a part of a file, and refuses one that cannot be', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-outcome-'))
  t.after(() => rmSync(root, { recursive: true }))
  writeFileSync(join(root, 'f'), 'content')
  const read = async (offset: bigint, length: bigint): Promise<string> =>
    String(await readFile(root, create(LLBBridge.method.readFile.input, { filePath: 'f', range: { offset, length } })))
  assert.deepEqual(await Promise.all([read(0n, 0n), read(2n, 3n), read(2n, 2n ** 62n), read(9n, 1n)]), [
    'content',
    'nte',
    'ntent',
    '',
  ])
  await assert.rejects(read(-1n, 0n), { message: 'f has no offset -1' })
  await assert.rejects(read(0n, -1n), { message: 'f has no part of -1 bytes' })
  await assert.rejects(read(9n, -(2n ** 62n)), { message: /^f has no part of -\d+ bytes$/ })
})
