import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatGoDuration, parseGoDurationNs } from './go-duration.ts'

test('parseGoDurationNs() reads what Go writes and nothing else', () => {
  const cases: [string, bigint | undefined][] = [
    ['1h30m', 5_400_000_000_000n], ['1.5s', 1_500_000_000n], ['0', 0n], ['-2ms', -2_000_000n], ['.5us', 500n],
    ['10', undefined], ['s', undefined], ['', undefined], ['1 s', undefined],
  ] // prettier-ignore
  for (const [text, ns] of cases) assert.equal(parseGoDurationNs(text), ns, text)
})

test('parseGoDurationNs() answers soon whatever the text', () => {
  const startedMs = performance.now()
  for (const text of [
    '0'.repeat(100_000),
    '.1'.repeat(50_000),
    `${'1m'.repeat(50_000)}x`,
    `1.${'0'.repeat(100_000)}`,
  ]) {
    assert.equal(parseGoDurationNs(text), undefined)
  }
  assert.ok(performance.now() - startedMs < 1000)
})

test('formatGoDuration() prints as Go does', () => {
  const cases: [number, string][] = [
    [0, '0s'], [50e6, '50ms'], [1500, '1.5µs'], [30e9, '30s'], [90e9, '1m30s'], [3600e9, '1h0m0s'], [-2.5e9, '-2.5s'],
  ] // prettier-ignore
  for (const [ns, text] of cases) assert.equal(formatGoDuration(ns), text)
})
