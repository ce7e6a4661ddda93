import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeProgress, ProgressDecoder, progressError } from './progress.ts'

test('ProgressDecoder.push() reassembles messages that were cut anywhere', () => {
  const bytes = Buffer.from(
    encodeProgress({ status: 'ä' }) + encodeProgress({ ...progressError('no') }) + '{"stream":"x"}',
  )
  const decoder = new ProgressDecoder()
  const messages = [...bytes].flatMap((byte) => decoder.push(Buffer.of(byte)))
  assert.deepEqual(
    [...messages, ...decoder.end()],
    [{ status: 'ä' }, { errorDetail: { message: 'no' }, error: 'no' }, { stream: 'x' }],
  )
})
