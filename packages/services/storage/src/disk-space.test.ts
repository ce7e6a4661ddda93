import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { defaultSpaceFloor, DiskSpace, parseSpaceFloor, planSpaceRefusal } from './disk-space.ts'

test('parseSpaceFloor() reads sizes and parts of the disk, and names what it cannot read', () => {
  assert.deepEqual(parseSpaceFloor('2g'), { bytes: 2 ** 31 })
  assert.deepEqual(parseSpaceFloor('1.5MB'), { bytes: 1_572_864 })
  assert.deepEqual(parseSpaceFloor('0'), { bytes: 0 })
  assert.deepEqual(parseSpaceFloor('5%'), { bytes: Number.POSITIVE_INFINITY, fraction: 0.05 })
  for (const text of ['', 'x', '-1', '100%', '1z'])
    assert.throws(() => parseSpaceFloor(text), /invalid --min-free-space/)
})

test('planSpaceRefusal() refuses below the floor, and what would lead there', () => {
  const disk = { freeBytes: 100e6, totalBytes: 1e9 }
  assert.equal(planSpaceRefusal(disk, { bytes: 100e6 }, 0), undefined)
  assert.equal(planSpaceRefusal(disk, { bytes: 0 }, 1e12), undefined)
  assert.match(planSpaceRefusal(disk, { bytes: 100e6 }, 1) ?? '', /^no space left on device: 100MB free for the 0.0MB/)
  assert.match(planSpaceRefusal(disk, { bytes: 200e6 }, 0) ?? '', /100MB free, and 200MB are to stay free/)
})

test('planSpaceRefusal() takes the smaller of a part of the disk and its bound', () => {
  const small = { freeBytes: 1e6, totalBytes: 50e6 }
  assert.equal(planSpaceRefusal(small, defaultSpaceFloor, 0), undefined)
  const large = { freeBytes: 500e6, totalBytes: 4e12 }
  assert.match(planSpaceRefusal(large, defaultSpaceFloor, 0) ?? '', /537MB are to stay free/)
})

test('DiskSpace.require() says what was not begun, and reads the floor anew', async () => {
  let floor = { bytes: 0 }
  const space = new DiskSpace(tmpdir(), () => floor)
  await space.require('pulling busybox')
  floor = { bytes: Number.MAX_SAFE_INTEGER }
  await assert.rejects(space.require('pulling busybox'), {
    kind: 'internal',
    message: /^pulling busybox: .*no space left/,
  })
})
