import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deviceOf, requireDriverOptions } from './driver-options.ts'
import { requireVolumeName } from './volume-name.ts'

test('requireDriverOptions() refuses what the driver does not know, and halves of devices', () => {
  const cases: [Record<string, string>, string][] = [
    [{ foobar: 'x' }, 'invalid option: "foobar"'],
    [{ type: 'tmpfs' }, 'missing required option: "device"'],
    [{ device: 'x' }, 'missing required option: "type"'],
    [{ o: 'ro' }, 'missing required option: "device"'],
    [{ size: '10m' }, 'quota size requested but no quota support'],
    [{ size: 'much' }, "invalid size: 'much'"],
  ]
  for (const [options, message] of cases)
    assert.throws(() => requireDriverOptions(options), { kind: 'invalid', message })
  requireDriverOptions({})
  requireDriverOptions({ type: '', device: '/x', o: 'bind' })
})

test('deviceOf() knows plain directories from devices', () => {
  assert.equal(deviceOf(null), undefined)
  assert.equal(deviceOf({}), undefined)
  assert.deepEqual(deviceOf({ type: 'tmpfs', device: 'tmpfs' }), { type: 'tmpfs', device: 'tmpfs', options: '' })
})

test('requireVolumeName() takes names that are file names and nothing else', () => {
  for (const name of ['ab', 'a.b_c-d', 'A0', '0'.repeat(255)]) requireVolumeName(name)
  for (const name of ['', 'a', '.a', '..', '-a', 'a/b', 'a b', 'a\n', 'ä1', 'a\0', '0'.repeat(256)]) {
    assert.throws(() => requireVolumeName(name), { kind: 'invalid' }, JSON.stringify(name))
  }
})
