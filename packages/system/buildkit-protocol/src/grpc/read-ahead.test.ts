import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { ReadAhead } from './read-ahead.ts'

test('next() brings what came before anybody asked, to a bound, and the end after it', async () => {
  const stream = new PassThrough({ highWaterMark: 1 << 20 })
  const ahead = new ReadAhead(stream)
  const chunk = Buffer.alloc(1 << 20)
  for (let i = 0; i < 3; i++) stream.write(chunk)
  stream.end('end')
  await setImmediate()
  assert.ok(stream.isPaused())
  let bytes = 0
  for (let chunks = await ahead.next(); chunks; chunks = await ahead.next())
    for (const { length } of chunks) bytes += length
  assert.equal(bytes, 3 * chunk.length + 3)
})

test('next() brings what has come of a stream that is closed before its end, and then fails', async () => {
  const stream = new PassThrough()
  const ahead = new ReadAhead(stream)
  stream.write('half')
  await setImmediate()
  stream.destroy()
  assert.equal(String((await ahead.next())?.[0]), 'half')
  await assert.rejects(ahead.next(), /the stream was closed/)
})
