import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseIdMap } from './id-map.ts'

test('parseIdMap() leads from the ids of the host to those of the container', () => {
  const range = { inside: 1000, outside: 0, length: 1 }
  assert.deepEqual(parseIdMap('0:1000'), { uids: [range], gids: [range] })
  assert.deepEqual(parseIdMap('u:0:1000;g:5:50:10'), {
    uids: [range],
    gids: [{ inside: 50, outside: 5, length: 10 }],
  })
})

test('parseIdMap() refuses what it cannot read, and ranges that overlap', () => {
  const bad = [
    '',
    '0',
    '0:x',
    'x:0:1',
    '0:1:0',
    '0:1:2:3',
    '0:4294967295',
    '0:1,1:2',
    '-1:0',
    '0:10:5;3:20',
    '0:10:5;9:12',
  ]
  for (const text of bad) assert.throws(() => parseIdMap(text), { kind: 'invalid' }, text)
})
