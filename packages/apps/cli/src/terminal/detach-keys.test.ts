import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DetachScanner, parseDetachKeys } from './detach-keys.ts'

test('parseDetachKeys() takes letters and control keys', () => {
  assert.deepEqual(parseDetachKeys('ctrl-p,ctrl-q,a,ctrl-[,ctrl-@'), [16, 17, 97, 27, 0])
  assert.throws(() => parseDetachKeys('ctrl-1'), /Unknown character: 'ctrl-1'/)
})

test('DetachScanner holds keys back until they are known not to detach', () => {
  const scanner = new DetachScanner([16, 17])
  const pushed = [[97], [16], [98], [16, 16], [17]].map((bytes) => scanner.push(Buffer.from(bytes)))
  assert.deepEqual(
    pushed.map(({ data }) => [...data]),
    [[97], [], [16, 98], [16], []],
  )
  assert.deepEqual(
    pushed.map(({ detached }) => detached),
    [false, false, false, false, true],
  )
})
