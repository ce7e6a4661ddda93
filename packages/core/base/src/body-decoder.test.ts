import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BodyFraming, createBodyDecoder } from './body-decoder.ts'

/** What comes out of `wire` when it arrives `step` bytes at a time. */
function decoded(framing: BodyFraming, wire: string, step = wire.length): { text: string; isComplete: boolean } {
  const decoder = createBodyDecoder(framing)
  const parts: Uint8Array[] = []
  const bytes = Buffer.from(wire, 'latin1')
  for (let at = 0; at < bytes.length; at += step) parts.push(...decoder.decode(bytes.subarray(at, at + step)))
  return { text: Buffer.concat(parts).toString('latin1'), isComplete: decoder.isComplete }
}

const chunked: BodyFraming = { kind: 'chunked' }

test('createBodyDecoder() takes a sized body, and nothing of what follows', () => {
  for (const step of [1, 3, 100]) {
    assert.deepEqual(decoded({ kind: 'sized', sizeBytes: 5 }, 'helloGET', step), { text: 'hello', isComplete: true })
    assert.deepEqual(decoded({ kind: 'sized', sizeBytes: 5 }, 'hel', step), { text: 'hel', isComplete: false })
  }
  assert.equal(createBodyDecoder({ kind: 'sized', sizeBytes: 0 }).isComplete, true)
})

test('createBodyDecoder() takes chunks apart wherever they are torn', () => {
  const wires = [
    '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
    '0000000000b;name="a;b" ; x\r\nhello world\r\n00\r\n\r\n',
    'B \t\r\nhello world\r\n0;last\r\nDigest: x\r\nOther: y\r\n\r\n',
  ]
  for (const wire of wires) {
    for (let step = 1; step <= wire.length; step++) {
      assert.deepEqual(decoded(chunked, `${wire}5\r\nGET /`, step), { text: 'hello world', isComplete: true }, wire)
    }
  }
  assert.deepEqual(decoded(chunked, '2\r\n\r\n\r\n0\r\n\r\n'), { text: '\r\n', isComplete: true })
})

test('createBodyDecoder() knows that chunks are not complete before the last line', () => {
  const wire = '5\r\nhello\r\n0\r\nDigest: x\r\n\r\n'
  for (let length = 0; length < wire.length; length++) {
    assert.equal(decoded(chunked, wire.slice(0, length)).isComplete, false, wire.slice(0, length))
  }
})

test('createBodyDecoder() refuses what is no chunked coding', () => {
  const sizes = ['', ' 5', '-5', '+5', '0x5', '5g', '5,5', ';x', 'fffffffffffffff', '20000000000000', '５']
  for (const size of sizes) {
    for (const step of [1, 100]) {
      assert.throws(() => decoded(chunked, `${size}\r\nhello\r\n`, step), { kind: 'invalid' }, size)
    }
  }
  const others = [
    '5\nhello\n0\n\n',
    '5\r\nhello!\r\n',
    '5\r\nhello and',
    '5\r\nhello\n0\r\n\r\n',
    '5\r\nhello0\r\n\r\n',
    '0\r\n\n',
    '\n',
  ]
  for (const wire of others) assert.throws(() => decoded(chunked, wire), { kind: 'invalid' }, JSON.stringify(wire))
})

test('createBodyDecoder() keeps no line without end, nor a trailer', () => {
  const long = 'x'.repeat(20_000)
  for (const wire of [`5;${long}`, long, `0\r\na: ${long}`, `0\r\n${'a: b\r\n'.repeat(4000)}`]) {
    for (const step of [1000, wire.length]) {
      assert.throws(() => decoded(chunked, wire, step), { kind: 'invalid' }, wire.slice(0, 9))
    }
  }
})
