import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeFrame, FrameDecoder, type StreamPart } from './stdcopy.ts'

const text = (parts: StreamPart[]) => parts.map(({ stream, payload }) => `${stream}:${payload.toString()}`)

test('FrameDecoder.push() takes frames in pieces of any size', () => {
  const bytes = Buffer.concat([encodeFrame(1, 'out'), encodeFrame(2, ''), encodeFrame(2, 'error')])
  const whole = new FrameDecoder()
  assert.deepEqual(text(whole.push(bytes)), ['1:out', '2:error'])
  assert.equal(whole.isWhole, true)
  const single = new FrameDecoder()
  const parts = [...bytes].flatMap((byte) => single.push(Buffer.of(byte)))
  assert.deepEqual(text(parts).join(''), '1:o1:u1:t2:e2:r2:r2:o2:r')
})

test('FrameDecoder.push() refuses what is not framed', () => {
  assert.throws(() => new FrameDecoder().push(Buffer.from('plain text of a terminal')), /unrecognized stream/)
  assert.throws(() => new FrameDecoder().push(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255])), /too long/)
})

test('FrameDecoder.isWhole is false within a frame', () => {
  const decoder = new FrameDecoder()
  decoder.push(encodeFrame(1, 'abc').subarray(0, 9))
  assert.equal(decoder.isWhole, false)
})
