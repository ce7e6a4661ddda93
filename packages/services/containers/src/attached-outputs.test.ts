import type { ContainerId } from '@berth/base'
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { AttachedOutputs } from './attached-outputs.ts'

const id = 'a'.repeat(64) as ContainerId

/** Whether a promise has settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  return await Promise.race([promise.then(() => true), delay(5, false)])
}

test('ended() waits for what was not read yet, of that container alone', async () => {
  const outputs = new AttachedOutputs()
  const stream = new PassThrough()
  outputs.follow(id, stream)
  stream.end('the last line')
  const ended = outputs.ended(id, 0)
  assert.equal(await isSettled(ended), false)
  assert.equal(await isSettled(outputs.ended('b'.repeat(64) as ContainerId, 0)), true)
  assert.equal(String(await stream.toArray()), 'the last line')
  await ended
  assert.equal(await isSettled(outputs.ended(id, 0)), true)
})

test('ended() does not wait for a client that has gone, nor for long for one that does not read', async () => {
  const outputs = new AttachedOutputs()
  const [gone, deaf] = [new PassThrough(), new PassThrough()]
  outputs.follow(id, gone)
  outputs.follow(id, deaf)
  deaf.end('nobody reads this')
  gone.destroy()
  const begun = performance.now()
  await outputs.ended(id, 0)
  const waitedMs = performance.now() - begun
  assert.ok(waitedMs > 200 && waitedMs < 2000, `${waitedMs} ms`)
  deaf.destroy()
})

test('ended() leaves a client that has just begun to wait time for the head of its answer', async () => {
  const outputs = new AttachedOutputs()
  /** How long the answer that was begun so long ago waits after a stream's end. */
  const waitedMs = async (agoMs: number): Promise<number> => {
    const stream = new PassThrough()
    outputs.follow(id, stream)
    const begun = performance.now()
    const ended = outputs.ended(id, begun - agoMs)
    stream.end().resume()
    await ended
    return performance.now() - begun
  }
  assert.ok((await waitedMs(1000)) < 200)
  assert.ok((await waitedMs(-300)) >= 300)
})
