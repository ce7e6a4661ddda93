import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'

test('parseDetachKeys() reads control and plain keys and defaults to ctrl-p,ctrl-q', () => {
  assert.deepEqual([...parseDetachKeys('')], [16, 17])
  assert.deepEqual([...parseDetachKeys('a,ctrl-a,ctrl-@,ctrl-[')], [97, 1, 0, 27])
  for (const bad of ['ctrl-', 'ctrl-A', 'ab', 'ctrl-p,'])
    assert.throws(() => parseDetachKeys(bad), /Invalid detach keys/)
})

test('DetachScanner.scan() finds the sequence across chunks and releases what only began it', () => {
  const scanner = new DetachScanner(parseDetachKeys(''))
  assert.deepEqual(scanner.scan(Buffer.from('ab\x10')), { forward: Buffer.from('ab'), detached: false })
  assert.deepEqual(scanner.scan(Buffer.from('c\x10\x10')), { forward: Buffer.from('\x10c\x10'), detached: false })
  assert.deepEqual(scanner.scan(Buffer.from('\x11lost')), { forward: Buffer.from(''), detached: true })
})
