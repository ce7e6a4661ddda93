import assert from 'node:assert/strict'
import { test } from 'node:test'
import { localBoundaries, localEncoder } from './local-encoder.ts'

// An entry that dockerd 28.5 wrote.
const written = Buffer.from('0000001d0a067374646f757410f0e2c09f8aa580f5181a0963746c2001020708090000001d', 'hex')
const time = 1795248675521311088n

test("localEncoder() writes dockerd's bytes", () => {
  const line = Buffer.from('ctl \x01\x02\x07\b\t\n')
  assert.deepEqual(Buffer.from(localEncoder('stdout').lines(line, time)).toString('hex'), written.toString('hex'))
})

test('localEncoder() leaves out the text of an empty line', () => {
  const entry = localEncoder('stdout').lines(Buffer.from('\n'), time)
  assert.equal(entry.toString('hex'), '000000120a067374646f757410f0e2c09f8aa580f51800000012')
})

test('localEncoder() gives the pieces of a line one id, and their number', () => {
  const encoder = localEncoder('stderr')
  const first = encoder.piece(Buffer.from('ab'), { ordinal: 1, last: false }, time).toString('latin1')
  const last = encoder.piece(Buffer.from(''), { ordinal: 2, last: true }, time).toString('latin1')
  const id = /@([0-9a-f]{64})/.exec(first)?.[1] ?? 'none'
  assert.ok(first.includes(`\x1a\x02ab\x20\x01*D\x12@${id}\x18\x01`))
  assert.ok(last.includes(`\x20\x01*F\x08\x01\x12@${id}\x18\x02`))
})

test('localBoundaries finds the ends of entries around a position', () => {
  const entries = Buffer.concat([written, written])
  const one = written.length
  const { after, before } = localBoundaries
  assert.deepEqual(
    [0, 1, one, one + 1].map((position) => after(entries, position)),
    [0, one, one, 2 * one],
  )
  assert.deepEqual(
    [0, one - 1, one, 2 * one].map((position) => before(entries, position)),
    [0, 0, one, 2 * one],
  )
})
