import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseSignal } from './signals.ts'

test('parseSignal() takes names with and without SIG, numbers and real-time signals', () => {
  const cases = {
    TERM: 15,
    SIGTERM: 15,
    sigterm: 15,
    '9': 9,
    '64': 64,
    CHLD: 17,
    'SIGRTMIN+3': 37,
    RTMIN: 34,
    'RTMAX-1': 63,
  }
  for (const [text, number] of Object.entries(cases)) assert.equal(parseSignal(text), number, text)
})

test('parseSignal() refuses what is none', () => {
  for (const text of [
    '',
    '0',
    'SIGFOO',
    'SIG42',
    'SIGRTMIN+31',
    'SIGRTMIN-1',
    'SIGUNUSED',
    '1.5',
    'SIGtoString',
    'SIG',
  ]) {
    assert.throws(() => parseSignal(text), { kind: 'invalid', message: `invalid signal: ${text}` })
  }
})

test('parseSignal() refuses numbers that no program can be sent', () => {
  for (const text of ['-9', '65', '32', '33']) {
    assert.throws(() => parseSignal(text), {
      kind: 'invalid',
      message: `the linux daemon does not support signal ${text}`,
    })
  }
})
