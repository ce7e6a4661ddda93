import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Demultiplexer } from './frames.ts'

function frame(stream: number, text: string): Buffer {
  const header = Buffer.alloc(8)
  header[0] = stream
  header.writeUInt32BE(text.length, 4)
  return Buffer.concat([header, Buffer.from(text)])
}

function collect(chunks: readonly Buffer[]): Record<string, string> {
  const demultiplexer = new Demultiplexer()
  const texts: Record<string, string> = {}
  for (const { stream, data } of chunks.flatMap((chunk) => demultiplexer.push(chunk))) {
    texts[stream] = (texts[stream] ?? '') + data.toString()
  }
  return texts
}

const stream = Buffer.concat([frame(1, 'hello '), frame(2, 'oops'), frame(1, ''), frame(1, 'world')])

test('Demultiplexer tells the streams apart', () => {
  assert.deepEqual(collect([stream]), { stdout: 'hello world', stderr: 'oops' })
})

test('Demultiplexer takes chunks cut anywhere', () => {
  const bytes = [...stream].map((byte) => Buffer.from([byte]))
  assert.deepEqual(collect(bytes), { stdout: 'hello world', stderr: 'oops' })
})

test('Demultiplexer refuses what is no multiplexed stream', () => {
  assert.throws(() => new Demultiplexer().push(Buffer.from('plain text')), /unrecognized input header: 112/)
})
