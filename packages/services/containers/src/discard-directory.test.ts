import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { codeOf } from '@berth/base'
import { discardDirectory, sweepDiscarded } from './discard-directory.ts'

test('discardDirectory() removes a directory in which somebody goes on making files', async (t) => {
  const parent = makeParent(t)
  const path = join(parent, 'c')
  mkdirSync(path)
  for (let i = 0; i < 200; i++) writeFileSync(join(path, `old${i}`), '')
  let made = 0
  const writers = Array.from({ length: 8 }, async (_, writer) => {
    for (;;) {
      try {
        await writeFile(join(path, `new${writer}-${made++}`), '')
      } catch (error) {
        assert.equal(codeOf(error), 'ENOENT')
        return
      }
    }
  })
  await discardDirectory(path)
  await Promise.all(writers)
  assert.deepEqual(readdirSync(parent), [])
})

test('discardDirectory() takes a directory that is gone', async (t) => {
  const parent = makeParent(t)
  await discardDirectory(join(parent, 'c'))
  assert.deepEqual(readdirSync(parent), [])
})

test('sweepDiscarded() removes what a crash left, and nothing else', async (t) => {
  const parent = makeParent(t)
  mkdirSync(join(parent, 'c.removed', 'shm'), { recursive: true })
  mkdirSync(join(parent, 'd'))
  await sweepDiscarded(parent)
  assert.deepEqual(readdirSync(parent), ['d'])
})

function makeParent(t: { after: (undo: () => void) => void }): string {
  const parent = mkdtempSync(join(tmpdir(), 'discard-'))
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return parent
}
