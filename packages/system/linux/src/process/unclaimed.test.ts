import assert from 'node:assert/strict'
import { openSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { spawnProcess } from './spawn.ts'
import { reapUnclaimed } from './unclaimed.ts'
import { waitPid } from './process.ts'

test('reapUnclaimed() reaps what nobody claims and leaves the rest', async () => {
  const nul = openSync('/dev/null', 'r+')
  const pid = spawnProcess({ path: '/bin/true', args: [], fds: [nul, nul, nul] })
  while (reapUnclaimed(() => true) === 0 && waitPid(pid) === 'running') await delay(1)
  const other = spawnProcess({ path: '/bin/true', args: [], fds: [nul, nul, nul] })
  let reaped = 0
  while (reaped === 0) {
    reaped = reapUnclaimed((claimed) => claimed !== other)
    await delay(1)
  }
  assert.deepEqual([reaped, waitPid(other)], [1, 'none'])
})
