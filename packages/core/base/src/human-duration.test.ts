import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanDuration } from './human-duration.ts'

test('humanDuration() rounds as Docker does', () => {
  const second = 1000
  const hour = 3600 * second
  const cases: [number, string][] = [
    [0, 'Less than a second'],
    [second, '1 second'],
    [59 * second, '59 seconds'],
    [60 * second, 'About a minute'],
    [59 * 60 * second, '59 minutes'],
    [hour, 'About an hour'],
    [1.6 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [48 * hour, '2 days'],
    [24 * 14 * hour, '2 weeks'],
    [24 * 60 * hour, '2 months'],
    [24 * 365 * 2 * hour, '2 years'],
  ]
  for (const [ms, text] of cases) assert.equal(humanDuration(ms), text)
})
