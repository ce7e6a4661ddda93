import assert from 'node:assert/strict'
import { test } from 'node:test'
import { paint } from './color.ts'

test('paint() colours on a terminal only, and not against NO_COLOR', () => {
  const cli = (env: Record<string, string>, terminal: boolean) => ({ env, isTerminal: () => terminal })
  assert.equal(paint(cli({}, true), 1, 'red', 'x'), '\u001B[31mx\u001B[0m')
  assert.equal(paint(cli({ NO_COLOR: '1' }, true), 1, 'red', 'x'), 'x')
  assert.equal(paint(cli({ TERM: 'dumb' }, true), 1, 'red', 'x'), 'x')
  assert.equal(paint(cli({}, false), 1, 'red', 'x'), 'x')
})
