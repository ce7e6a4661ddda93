import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLogger } from '@berth/base'
import { trimWhenSettled } from './trim-when-settled.ts'

test('trimWhenSettled() trims once after each work, when it is over', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  let cpuMs = 400
  const trimmed: number[] = []
  const trim = async () => {
    trimmed.push(cpuMs)
    cpuMs += 5
  }
  const timer = trimWhenSettled({ trim, logger: silentLogger, intervalMs: 1, cpuMs: () => cpuMs })
  const pass = async (usedMs: number) => {
    cpuMs += usedMs
    context.mock.timers.tick(1)
    await Promise.resolve().then(() => {})
  }
  // The start was work; then rest, a little work, much work that goes on, and rest.
  for (const usedMs of [0, 0, 50, 0, 300, 300, 10, 10, 10]) await pass(usedMs)
  assert.deepEqual(trimmed, [400, 1065])
  timer[Symbol.dispose]()
  await pass(500)
  await pass(0)
  assert.equal(trimmed.length, 2)
})

test('trimWhenSettled() goes on when a trim fails', async (context) => {
  context.mock.timers.enable({ apis: ['setInterval'] })
  let calls = 0
  const trim = () => Promise.reject(new Error(`no ${++calls}`))
  using _ = trimWhenSettled({ trim, logger: silentLogger, intervalMs: 1, cpuMs: () => 200 })
  for (let i = 0; i < 2; i++) {
    context.mock.timers.tick(1)
    await Promise.resolve().then(() => {})
  }
  assert.equal(calls, 2)
})
