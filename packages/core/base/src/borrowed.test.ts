import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Readable } from 'node:stream'
import { test } from 'node:test'
import { borrowed } from './borrowed.ts'

test('borrowed() does not destroy a stream whose reader gives up, and drains it', async () => {
  const stream = new PassThrough()
  stream.write('one')
  {
    using source = borrowed(stream)
    for await (const chunk of source) {
      assert.equal(String(chunk), 'one')
      break
    }
  }
  stream.end(Buffer.alloc(1_000_000))
  await once(stream, 'end')
})

test('borrowed() gives back a stream that was never read', async () => {
  const stream = Readable.from(['one', 'two'])
  borrowed(stream)[Symbol.dispose]()
  await once(stream, 'end')
})
