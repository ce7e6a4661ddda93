import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseContentRange, planRange } from './range.ts'

test('planRange() reads every form of one range', () => {
  assert.deepEqual(
    ['bytes=0-4', 'bytes=5-', 'bytes=-3', 'bytes=-30', 'bytes=8-99'].map((header) => planRange(header, 10)),
    [
      { kind: 'part', start: 0, end: 4 },
      { kind: 'part', start: 5, end: 9 },
      { kind: 'part', start: 7, end: 9 },
      { kind: 'part', start: 0, end: 9 },
      { kind: 'part', start: 8, end: 9 },
    ],
  )
})

test('planRange() cannot satisfy what lies behind the end', () => {
  for (const header of ['bytes=10-', 'bytes=10-12', 'bytes=-0']) {
    assert.deepEqual(planRange(header, 10), { kind: 'unsatisfiable' }, header)
  }
  assert.deepEqual(planRange('bytes=0-', 0), { kind: 'unsatisfiable' })
})

test('planRange() sends everything for what it does not take for a range', () => {
  for (const header of [
    undefined,
    '',
    'bytes=a-b',
    'bytes=0-1,4-5',
    'lines=0-1',
    'bytes=5-4',
    `bytes=${'9'.repeat(30)}-`,
  ]) {
    assert.deepEqual(planRange(header, 10), { kind: 'whole' })
  }
})

test('parseContentRange() takes the form of the specification, and that of HTTP', () => {
  assert.deepEqual(parseContentRange('0-9'), { start: 0, sizeBytes: 10 })
  assert.deepEqual(parseContentRange('bytes 5-5/*'), { start: 5, sizeBytes: 1 })
  for (const header of ['', '5-4', '-4', '5-', 'a-b']) assert.equal(parseContentRange(header), undefined)
})
