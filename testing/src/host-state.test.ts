import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedMounts, mountPoints, mountsSince } from './host-state.ts'

test('countedMounts() counts everything in a namespace of our own, and on the host what is named as ours', () => {
  const mounted = ['/tmp/berth-test-1/data', '/tmp/somebody/proc']
  assert.deepEqual(countedMounts(mounted, false), mounted)
  assert.deepEqual(countedMounts(mounted, true), ['/tmp/berth-test-1/data'])
})

test('mountsSince() names what came, one for each, and not what went', () => {
  const now = mountPoints()
  assert.deepEqual(mountsSince(now), [])
  assert.deepEqual(mountsSince([...now, '/somebody/else']), [])
  assert.deepEqual(mountsSince(now.slice(0, -1)), now.slice(-1))
  assert.deepEqual(
    mountsSince(now.filter((at) => at !== '/proc')).toSorted(),
    now.filter((at) => at === '/proc'),
  )
})
