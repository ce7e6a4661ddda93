import { encodeFrame } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { reframe } from './reframe.ts'

const through = async (execTty: boolean, startTty: boolean, chunks: Buffer[]): Promise<string> => {
  const convert = reframe(execTty, startTty)
  const output = convert ? Readable.from(chunks).pipe(convert) : Readable.from(chunks)
  return Buffer.concat((await output.toArray()) as Buffer[]).toString()
}

test('reframe() leaves, strips and adds frames as the start of the exec says', async () => {
  const frame = encodeFrame(1, 'out')
  assert.equal(await through(false, false, [frame]), frame.toString())
  assert.equal(await through(false, true, [frame.subarray(0, 5), frame.subarray(5)]), 'out')
  assert.equal(await through(true, false, [Buffer.from('out')]), frame.toString())
  assert.equal(await through(false, true, [Buffer.from('exec failed')]), 'exec failed')
})
