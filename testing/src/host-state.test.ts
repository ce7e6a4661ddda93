import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedMounts } from './host-state.ts'

test('countedMounts() counts everything in a namespace of our own, and on the host what is named as ours', () => {
  const mounted = ['/tmp/berth-test-1/data', '/tmp/somebody/proc']
  assert.deepEqual(countedMounts(mounted, false), mounted)
  assert.deepEqual(countedMounts(mounted, true), ['/tmp/berth-test-1/data'])
})
