import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeName, encodeName } from './name.ts'

test('decodeName() and encodeName() keep every byte of any name', () => {
  const names = ['plain', 'naïve 文件 😀', 'real \uFFFD sign']
  for (const name of names) assert.equal(decodeName(Buffer.from(name)), name)
  const odd = [
    Buffer.from('caf\xe9.txt', 'latin1'),
    Buffer.from([0xff, 0x61, 0xf0, 0x9f, 0x98]),
    Buffer.from('\xed\xb2\x80', 'latin1'),
  ]
  for (const bytes of odd) assert.deepEqual(encodeName(decodeName(bytes)), bytes)
  assert.equal(decodeName(Buffer.from('caf\xe9.txt', 'latin1')), 'caf\udce9.txt')
})
