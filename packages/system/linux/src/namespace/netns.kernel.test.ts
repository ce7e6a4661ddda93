import assert from 'node:assert/strict'
import {
  closeSync,
  existsSync,
  fstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { isMountPoint } from '../file/statx.ts'
import { createNetns, inNetns, pinNetns, unpinNetns } from './netns.ts'

const directory = mkdtempSync(join(tmpdir(), 'berth-netns-'))
const home = readlinkSync('/proc/self/ns/net')
after(() => {
  assert.equal(readlinkSync('/proc/self/ns/net'), home)
  rmSync(directory, { recursive: true })
})

const here = (): string => readlinkSync('/proc/thread-self/ns/net')

/** A namespace that nothing keeps but the descriptor; its test closes it. */
const netnsOf = (work: () => unknown = () => {}): number => createNetns(work).netns

test('createNetns() works in a namespace of its own, which is there until its descriptor is closed', () => {
  const { netns, result } = createNetns(here)
  assert.notEqual(result, home)
  assert.equal(here(), home)
  assert.equal(inNetns(netns, here), result)
  closeSync(netns)
})

test('createNetns() keeps nothing when the work throws', () => {
  let inside = -1
  assert.throws(
    () =>
      createNetns(() => {
        inside = statSync('/proc/thread-self/ns/net').ino
        throw new Error('no')
      }),
    /no/,
  )
  assert.equal(here(), home)
  assert.ok(inside > 0)
  assert.ok(!openNamespaces().includes(inside))
})

test('pinNetns() keeps a namespace beyond its descriptor, unpinNetns() lets go', async () => {
  const path = join(directory, 'a')
  const netns = netnsOf()
  const { ino } = fstatSync(netns)
  pinNetns(netns, path)
  closeSync(netns)
  assert.equal(isMountPoint(path), true)
  assert.equal(statSync(path).ino, ino)
  assert.equal(inNetns(path, here), `net:[${ino}]`)
  await unpinNetns(path)
  assert.equal(existsSync(path), false)
})

test('pinNetns() refuses a path in use and leaves it as it is', () => {
  const path = join(directory, 'used')
  writeFileSync(path, 'kept')
  const netns = netnsOf()
  assert.throws(() => pinNetns(netns, path), { code: 'EEXIST' })
  closeSync(netns)
  assert.equal(readFileSync(path, 'utf8'), 'kept')
})

test('unpinNetns() is idempotent and takes the plain file that a crash left', async () => {
  const path = join(directory, 'left')
  writeFileSync(path, '')
  await unpinNetns(path)
  await unpinNetns(path)
  assert.equal(existsSync(path), false)
})

test('inNetns() returns home when the work throws', () => {
  const netns = netnsOf()
  assert.throws(() => inNetns(netns, () => assert.fail('no')))
  assert.equal(here(), home)
  closeSync(netns)
})

/** Inodes of the network namespaces that this process has open. */
function openNamespaces(): number[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return Number(/^net:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? Number.NaN)
    } catch {
      return []
    }
  })
}
