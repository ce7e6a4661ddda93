import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineCutter, type LinePiece, maxPieceBytes } from './line-cutter.ts'

type Cut = string | [length: number, LinePiece]

function cut(chunks: readonly Buffer[]): Cut[] {
  const cuts: Cut[] = []
  const cutter = new LineCutter({
    lines: (bytes) => cuts.push(...bytes.toString('latin1').split('\n').slice(0, -1)),
    piece: (bytes, piece) => cuts.push([bytes.length, piece]),
  })
  for (const chunk of chunks) cutter.push(Buffer.from(chunk))
  cutter.end()
  return cuts
}

const text = (latin1: string) => [Buffer.from(latin1, 'latin1')]
const long = (length: number) => 'x'.repeat(length)

test('LineCutter joins lines that arrive in parts', () => {
  assert.deepEqual(cut(['a', 'b\nc', '\n', '\nd\n'].map((part) => Buffer.from(part))), ['ab', 'c', '', 'd'])
})

test('LineCutter cuts a line of 16 KiB or more into pieces, the last of which may be empty', () => {
  const one = { ordinal: 1, last: false }
  assert.deepEqual(
    cut(text(`${long(maxPieceBytes - 1)}\n`)).map((line) => line.length),
    [maxPieceBytes - 1],
  )
  assert.deepEqual(cut(text(`${long(maxPieceBytes)}\nb\n`)), [
    [maxPieceBytes, one],
    [0, { ordinal: 2, last: true }],
    'b',
  ])
  assert.deepEqual(cut(text(`a\n${long(40000)}\n`)), [
    'a',
    [maxPieceBytes, one],
    [maxPieceBytes, { ordinal: 2, last: false }],
    [40000 - 2 * maxPieceBytes, { ordinal: 3, last: true }],
  ])
})

test('LineCutter.end() makes a piece of a line without newline', () => {
  assert.deepEqual(cut(text('a\nb')), ['a', [1, { ordinal: 1, last: false }]])
  assert.deepEqual(cut(text('')), [])
})

test('LineCutter cuts the same way however the bytes arrive', () => {
  const sizes = [0, 3, 100, maxPieceBytes - 1, maxPieceBytes, maxPieceBytes + 1, 2 * maxPieceBytes, 50000, 7]
  const bytes = Buffer.from(`${sizes.map(long).join('\n')}\nend`)
  const whole = cut([bytes])
  for (const size of [1000, 4096, 16383, 16384, 65536]) {
    const chunks: Buffer[] = []
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size))
    assert.deepEqual(cut(chunks), whole, `in chunks of ${size}`)
  }
})
