import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mergeTmpfsOptions } from './tmpfs-options.ts'

test('mergeTmpfsOptions() lets later options overrule earlier ones', () => {
  assert.deepEqual(mergeTmpfsOptions(['noexec', 'nosuid', 'size=1m', 'exec', 'size=2m', 'defaults']), [
    'nosuid',
    'exec',
    'size=2m',
  ])
})

test('mergeTmpfsOptions() refuses what tmpfs does not know', () => {
  for (const option of ['foo=bar', 'foo', '', 'size', 'size=']) {
    assert.throws(() => mergeTmpfsOptions([option]), { kind: 'invalid' }, option)
  }
})
