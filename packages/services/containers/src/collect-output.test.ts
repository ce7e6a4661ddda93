import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { collectOutput } from './collect-output.ts'

test('collectOutput() strips the heads wherever chunks break, and says where it ends for its limit', async () => {
  const frame = (text: string) => Buffer.concat([Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length]), Buffer.from(text)])
  const stream = new PassThrough()
  const output = collectOutput(stream, 7)
  for (const byte of Buffer.concat([frame('hello'), frame(''), frame('world')])) stream.write(Buffer.from([byte]))
  stream.end()
  await output.ended
  assert.equal(output.text(), 'hellowo...')
})
