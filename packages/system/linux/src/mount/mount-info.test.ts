import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseMountInfo } from './mount-info.ts'

test('parseMountInfo() unescapes names and takes any number of optional fields', () => {
  const text =
    '36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 propagate_from:2 - ext3 /dev/root\\134x rw,errors=continue\n' +
    '37 35 0:5 / / rw - tmpfs none rw\n'
  assert.deepEqual(parseMountInfo(text), [
    {
      id: 36,
      parent: 35,
      device: '98:0',
      root: '/mnt1',
      target: '/mnt 2',
      options: ['rw', 'noatime'],
      optional: ['master:1', 'propagate_from:2'],
      type: 'ext3',
      source: '/dev/root\\x',
      superOptions: ['rw', 'errors=continue'],
    },
    {
      id: 37,
      parent: 35,
      device: '0:5',
      root: '/',
      target: '/',
      options: ['rw'],
      optional: [],
      type: 'tmpfs',
      source: 'none',
      superOptions: ['rw'],
    },
  ])
})

test('parseMountInfo() names a malformed line', () => {
  assert.throws(() => parseMountInfo('36 35 98:0 / /mnt rw'), /malformed mountinfo line: 36 35/)
})
