import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planRestart, type RestartQuestion } from './restart-policy.ts'

const question: RestartQuestion = {
  policy: { Name: 'always', MaximumRetryCount: 0 },
  exitCode: 1,
  stoppedByUser: false,
  restartCount: 0,
  ranMs: 50,
  previousDelayMs: 0,
}
const policy = (Name: RestartQuestion['policy']['Name'], MaximumRetryCount = 0) => ({
  policy: { Name, MaximumRetryCount },
})
const isRestarted = (changes: Partial<RestartQuestion>) => planRestart({ ...question, ...changes }) !== undefined

test('planRestart() follows the policy', () => {
  assert.deepEqual(
    [
      isRestarted(policy('no')),
      isRestarted(policy('')),
      isRestarted({ exitCode: 0 }),
      isRestarted(policy('unless-stopped')),
      isRestarted({ ...policy('on-failure'), exitCode: 0 }),
      isRestarted({ ...policy('on-failure'), restartCount: 100 }),
      isRestarted({ ...policy('on-failure', 3), restartCount: 2 }),
      isRestarted({ ...policy('on-failure', 3), restartCount: 3 }),
      isRestarted({ stoppedByUser: true }),
    ],
    [false, false, true, true, false, true, true, false, false],
  )
})

test('planRestart() doubles the delay up to a minute and begins anew after ten seconds of running', () => {
  const delay = (previousDelayMs: number, ranMs = 50) => planRestart({ ...question, previousDelayMs, ranMs })
  assert.deepEqual([delay(0), delay(100), delay(200), delay(51200), delay(60000)], [100, 200, 400, 60000, 60000])
  assert.deepEqual([delay(51200, 9999), delay(51200, 10000)], [60000, 100])
})
