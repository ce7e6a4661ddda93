import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTimeNs, nowNs, parseTimeNs } from './clock.ts'

test('nowNs() follows the wall clock when it is set', (context) => {
  // The machine may take its time between two of these.
  const isNow = (): boolean => {
    const before = Date.now()
    const now = Number(nowNs() / 1_000_000n)
    return before - 2 <= now && now <= Date.now() + 2
  }
  assert.ok(isNow())
  const set = Date.now() + 3_600_000
  context.mock.method(Date, 'now', () => set)
  assert.ok(isNow())
})

test('formatTimeNs() and parseTimeNs() agree', () => {
  for (const text of ['2026-11-21T08:10:56Z', '2026-11-21T08:10:56.13031676Z', '1970-01-01T00:00:00.000000001Z']) {
    assert.equal(formatTimeNs(parseTimeNs(text) ?? -1n), text)
  }
  assert.equal(parseTimeNs('2026-11-21T09:10:56.5+01:00'), parseTimeNs('2026-11-21T08:10:56.5Z'))
  assert.equal(parseTimeNs('yesterday'), undefined)
})
