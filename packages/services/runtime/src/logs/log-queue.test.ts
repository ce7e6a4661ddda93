import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LogQueue } from './log-queue.ts'

/** A sink that takes what it is given when it is told to. */
class SlowSink {
  taken = ''
  isClosed = false
  #next = Promise.withResolvers<void>()

  async append(entries: Buffer): Promise<void> {
    await this.#next.promise
    this.taken += entries.toString('latin1')
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  async take(): Promise<void> {
    this.#next.resolve()
    this.#next = Promise.withResolvers()
    await new Promise(setImmediate)
  }
}

test('LogQueue keeps the order, copies what it is given, and writes together what waits', async () => {
  const sink = new SlowSink()
  const queue = new LogQueue(sink, () => assert.fail('was never full'))
  const shared = Buffer.from('first\n')
  queue.push(shared)
  shared.fill('x')
  await new Promise(setImmediate)
  for (const text of ['second\n', 'third\n', '']) queue.push(Buffer.from(text))
  await sink.take()
  assert.equal(sink.taken, 'first\n')
  await sink.take()
  assert.equal(sink.taken, 'first\nsecond\nthird\n')
})

test('LogQueue is full beyond a megabyte, and tells when it is not any more', async () => {
  const sink = new SlowSink()
  let rooms = 0
  const queue = new LogQueue(sink, () => rooms++)
  let pushed = 0
  for (; !queue.isFull; pushed++) queue.push(Buffer.alloc(100_000, 'a'))
  assert.ok(pushed >= 10 && pushed <= 12)
  while (queue.isFull) await sink.take()
  assert.equal(rooms, 1)
  const closed = queue.close()
  while (sink.taken.length < pushed * 100_000) await sink.take()
  await closed
  assert.ok(sink.isClosed)
})

test('LogQueue that may drop is never full, and drops whole entries that come while too much waits', async () => {
  const sink = new SlowSink()
  const queue = new LogQueue(sink, () => assert.fail('was never full'), 10)
  for (const text of ['first, of 20 bytes \n', 'dropped\n']) queue.push(Buffer.from(text))
  await new Promise(setImmediate)
  queue.push(Buffer.from('dropped too\n'))
  assert.equal(queue.isFull, false)
  await sink.take()
  await sink.take()
  for (const text of ['a 1234\n', 'b\n', 'dropped\n']) queue.push(Buffer.from(text))
  await new Promise(setImmediate)
  await sink.take()
  await sink.take()
  assert.equal(sink.taken, 'first, of 20 bytes \na 1234\nb\n')
})

test('LogQueue.close() writes what waits, then takes nothing', async () => {
  const sink = new SlowSink()
  const queue = new LogQueue(sink, () => {})
  queue.push(Buffer.from('a'))
  const closing = queue.close()
  queue.push(Buffer.from('b'))
  assert.equal(queue.close(), closing)
  await new Promise(setImmediate)
  assert.equal(sink.isClosed, false)
  await sink.take()
  await closing
  assert.deepEqual([sink.taken, sink.isClosed], ['a', true])
})
