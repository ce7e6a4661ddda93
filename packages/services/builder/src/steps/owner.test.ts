import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { resolveOwner } from './owner.ts'

/** As BuildKit 0.25 has it. */
const owners: readonly (readonly [text: string, uid: number, gid: number])[] = [
  ['5', 5, 5],
  ['5:6', 5, 6],
  ['daemon', 1, 2],
  ['daemon:6', 1, 6],
  ['daemon:staff', 1, 50],
  ['daemon:', 1, 0],
  [':7', 0, 7],
  ['nobody:absent', 65534, 65534],
  ['5:absent', 5, 5],
  ['absent:6', 0, 6],
  ['absent:staff', 0, 50],
  ['absent', 0, 0],
]

test('resolveOwner() takes what BuildKit does not find for root, or for the group of the user', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'berth-owner-'))
  t.after(() => rmSync(root, { recursive: true }))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/:/x\ndaemon:x:1:2::/:/x\nnobody:x:65534:65534::/:/x\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nstaff:x:50:\n')
  for (const [text, uid, gid] of owners) assert.deepEqual(resolveOwner(text, root, 'buildkit'), { uid, gid }, text)
  assert.deepEqual(resolveOwner('5', root, 'classic'), { uid: 5, gid: 5 })
  assert.throws(() => resolveOwner('nobody:absent', root, 'classic'), /can't find gid for group absent/)
})
