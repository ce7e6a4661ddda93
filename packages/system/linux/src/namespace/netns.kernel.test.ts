import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isMountPoint } from '../file/statx.ts'
import { inNetns, pinNetns, unpinNetns } from './netns.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-netns-'))
const home = readlinkSync('/proc/self/ns/net')
after(() => {
  assert.equal(readlinkSync('/proc/self/ns/net'), home)
  rmSync(directory, { recursive: true })
})

test('pinNetns() makes a namespace of its own, inNetns() works in it, unpinNetns() lets go', () => {
  const path = join(directory, 'a')
  pinNetns(path)
  assert.equal(isMountPoint(path), true)
  const inside = inNetns(path, () => readlinkSync('/proc/thread-self/ns/net'))
  assert.notEqual(inside, home)
  assert.equal(readlinkSync('/proc/thread-self/ns/net'), home)
  unpinNetns(path)
  assert.equal(existsSync(path), false)
})

test('pinNetns() refuses a path in use and leaves it as it is', () => {
  const path = join(directory, 'used')
  writeFileSync(path, 'kept')
  assert.throws(() => pinNetns(path), { code: 'EEXIST' })
  assert.equal(readFileSync(path, 'utf8'), 'kept')
})

test('unpinNetns() is idempotent and takes the plain file that a crash left', () => {
  const path = join(directory, 'left')
  writeFileSync(path, '')
  unpinNetns(path)
  unpinNetns(path)
  assert.equal(existsSync(path), false)
})

test('inNetns() returns home when the work throws', () => {
  const path = join(directory, 'b')
  pinNetns(path)
  assert.throws(() => inNetns(path, () => assert.fail('no')))
  assert.equal(readlinkSync('/proc/thread-self/ns/net'), home)
  unpinNetns(path)
})
