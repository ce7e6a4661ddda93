import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTimeNs } from './clock.ts'
import { booleanFilter, type Filters, matchesLabels, parseTimestampNs, requireKnownFilters } from './filters.ts'

test('requireKnownFilters() names the unknown one', () => {
  requireKnownFilters({ label: [] }, ['label'])
  assert.throws(() => requireKnownFilters({ x: [] }, ['label']), { kind: 'invalid', message: "invalid filter 'x'" })
})

test('matchesLabels() wants every label', () => {
  assert.equal(matchesLabels({ a: '1', b: '' }, ['a', 'b=']), true)
  assert.equal(matchesLabels({ a: '1' }, ['a', 'b']), false)
  assert.equal(matchesLabels({ a: '1=2' }, ['a=1=2']), true)
  assert.equal(matchesLabels({}, ['constructor']), false)
  assert.equal(matchesLabels(null, ['a']), false)
  assert.equal(matchesLabels(null), true)
})

test('booleanFilter() takes the spellings of true and false and refuses a mixture', () => {
  const given: Filters[] = [{}, { d: ['1'] }, { d: ['false', '0'] }]
  assert.deepEqual(
    given.map((filters) => booleanFilter(filters, 'd')),
    [undefined, true, false],
  )
  for (const d of [['x'], ['true', 'false']]) {
    assert.throws(() => booleanFilter({ d }, 'd'), { message: `invalid filter 'd=[${d.join(' ')}]'` })
  }
})

test('parseTimestampNs() reads times, Unix seconds and durations', () => {
  const now = 1_700_000_000_000_000_000n
  const table: Record<string, string> = {
    '2024-01-02': '2024-01-02T00:00:00Z',
    '2024-01-02T03': '2024-01-02T03:00:00Z',
    '2024-01-02T03:04': '2024-01-02T03:04:00Z',
    '2024-01-02T03:04:05.25': '2024-01-02T03:04:05.25Z',
    '2024-01-02T03:04:05+01:00': '2024-01-02T02:04:05Z',
    '1700000000.5': '2023-11-14T22:13:20.5Z',
    '0': '1970-01-01T00:00:00Z',
    '1h30m': '2023-11-14T20:43:20Z',
  }
  const got = Object.keys(table).map((text) => [text, formatTimeNs(parseTimestampNs(text, now))])
  assert.deepEqual(Object.fromEntries(got), table)
  assert.throws(() => parseTimestampNs('x', now), {
    kind: 'invalid',
    message: 'failed to parse value as time or duration: "x"',
  })
})
