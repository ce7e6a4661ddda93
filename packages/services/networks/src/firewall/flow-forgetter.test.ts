import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'node:test'
import { silentLogger } from '@berth/base'
import { FlowForgetter } from './flow-forgetter.ts'

test('forget() makes one pass at a time, for all that was named meanwhile, and survives one that fails', async () => {
  const passes: number[][] = []
  const told: unknown[] = []
  let running = 0
  const forget = async (ports: ReadonlySet<number>) => {
    passes.push([...ports])
    assert.equal(++running, 1)
    await turn()
    running--
    if (ports.has(2)) throw new Error('no buffer space')
  }
  const logger = { ...silentLogger, warn: (fields: object) => void told.push(fields) }
  const flows = new FlowForgetter({ logger, forget })
  const first = flows.forget(new Set([1]))
  await Promise.resolve()
  await Promise.all([first, flows.forget(new Set([2])), flows.forget(new Set([3])), flows.forget(new Set())])
  await flows.forget(new Set([4]))
  assert.deepEqual(passes, [[1], [2, 3], [4]])
  assert.deepEqual(told, [{ ports: [2, 3], error: 'no buffer space' }])
})
