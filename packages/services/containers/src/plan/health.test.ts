import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Health } from '../container.ts'
import { healthSettings, initialHealth, nextDelayMs, reduceHealth } from './health.ts'

const result = (exitCode: number) => ({ start: '', end: '', exitCode, output: '' })

/** Health after probes with these exit codes; an `s` before a code puts it into the start period. */
function after(codes: string, retries = 3): Health {
  return codes
    .split(' ')
    .reduce(
      (health, code) =>
        reduceHealth(health, result(Number(code.replace('s', ''))), { retries, inStartPeriod: code.startsWith('s') }),
      initialHealth(),
    )
}
const summary = ({ status, failingStreak }: Health) => `${status} ${failingStreak}`

test('healthSettings() fills the defaults and finds the command', () => {
  assert.deepEqual(healthSettings({ Test: ['CMD', 'a', 'b'] }), {
    command: ['a', 'b'],
    intervalMs: 30000,
    timeoutMs: 30000,
    startPeriodMs: 0,
    startIntervalMs: 5000,
    retries: 3,
  })
  const all = {
    Test: ['CMD-SHELL', 'x'],
    Interval: 1e9,
    Timeout: 5e7,
    StartPeriod: 3e9,
    StartInterval: 4e8,
    Retries: 5,
  }
  assert.deepEqual(healthSettings(all, ['/bin/bash', '-c']), {
    command: ['/bin/bash', '-c', 'x'],
    intervalMs: 1000,
    timeoutMs: 50,
    startPeriodMs: 3000,
    startIntervalMs: 400,
    retries: 5,
  })
})

test('healthSettings() is nothing without a probe', () => {
  for (const config of [undefined, {}, { Test: [] }, { Test: ['NONE'] }])
    assert.equal(healthSettings(config), undefined)
})

test('reduceHealth() becomes healthy at once and unhealthy after the retries', () => {
  assert.equal(summary(after('0')), 'healthy 0')
  assert.equal(summary(after('1 1')), 'starting 2')
  assert.equal(summary(after('1 1 1')), 'unhealthy 3')
  assert.equal(summary(after('0 1 -1')), 'healthy 2')
  assert.equal(summary(after('0 1 -1 2')), 'unhealthy 3')
  assert.equal(summary(after('1 1 1 0')), 'healthy 0')
})

test('reduceHealth() forgives failures in the start period until the first success', () => {
  assert.equal(summary(after('s1 s1 s1 s1 1 1')), 'starting 2')
  assert.equal(summary(after('s1 s0 s1 s1 s1')), 'unhealthy 3')
})

test('reduceHealth() keeps the last five results', () => {
  assert.deepEqual(
    after('1 2 3 4 5 6 7').log.map(({ exitCode }) => exitCode),
    [3, 4, 5, 6, 7],
  )
})

test('nextDelayMs() is the start interval only while starting, in the start period', () => {
  const settings = healthSettings({ Test: ['CMD', 'a'], StartPeriod: 10e9, StartInterval: 1e9 })
  assert.ok(settings)
  assert.equal(nextDelayMs(settings, initialHealth(), 0), 1000)
  assert.equal(nextDelayMs(settings, initialHealth(), 10_000), 30_000)
  assert.equal(nextDelayMs(settings, after('0'), 0), 30_000)
})
