import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { command } from '@berth/testing'

const repository = fileURLToPath(new URL('../..', import.meta.url))

test('the protobuf messages are those that their .proto files make', async (t) => {
  const fresh = mkdtempSync(join(tmpdir(), 'berth-protobuf-'))
  t.after(() => rmSync(fresh, { recursive: true }))
  const { code, stderr } = await command(join(repository, 'tools/generate-protobuf'), [fresh])
  assert.equal(code, 0, stderr)
  assert.deepEqual(filesOf(join(repository, 'packages/system/buildkit-protocol/generated')), filesOf(fresh))
})

const filesOf = (directory: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(directory)
      .toSorted()
      .map((name) => [name, readFileSync(join(directory, name), 'utf8')]),
  )
