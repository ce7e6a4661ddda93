import assert from 'node:assert/strict'
import { test } from 'node:test'
import { avoidsLabels, matchesLabels, parseTimestamp } from './filters.ts'

test('matchesLabels() wants every label, avoidsLabels() none, and neither reads the prototype', () => {
  const labels = { a: '1', b: '' }
  assert.equal(matchesLabels(labels, ['a', 'a=1', 'b=']), true)
  assert.equal(matchesLabels(labels, ['a=2']), false)
  assert.equal(matchesLabels(labels, ['constructor']), false)
  assert.equal(avoidsLabels(labels, ['c', 'a=2']), true)
  assert.equal(avoidsLabels(labels, ['c', 'a']), false)
})

test('parseTimestamp() reads durations before now, Unix seconds, dates and RFC 3339', () => {
  const now = 10_000_000_000_000n
  assert.equal(parseTimestamp('1h10m', now), now - 4_200_000_000_000n)
  assert.equal(parseTimestamp('1136073600.000000001', now), 1136073600000000001n)
  assert.equal(parseTimestamp('2006-01-01', now), 1136073600000000000n)
  assert.equal(parseTimestamp('2006-01-01T00:00:00', now), 1136073600000000000n)
  assert.equal(parseTimestamp('2006-01-01T01:00:00+01:00', now), 1136073600000000000n)
  assert.throws(() => parseTimestamp('soon', now), /failed to parse value/)
})
