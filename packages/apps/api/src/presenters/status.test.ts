import { zeroTime } from '@berth/base'
import type { ContainerState } from '@berth/containers'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { statusText } from './status.ts'

test('statusText() tells every state', () => {
  const now = Date.parse('2026-01-01T00:03:00Z')
  const state = (changes: Partial<ContainerState>): ContainerState => ({
    status: 'running',
    pid: 0,
    exitCode: 3,
    oomKilled: false,
    error: '',
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:02:57Z',
    ...changes,
  })
  const health = (status: 'starting' | 'healthy') => ({ status, failingStreak: 0, log: [] })
  const cases: [Partial<ContainerState>, string][] = [
    [{}, 'Up 3 minutes'],
    [{ health: health('healthy') }, 'Up 3 minutes (healthy)'],
    [{ health: health('starting') }, 'Up 3 minutes (health: starting)'],
    [{ status: 'paused' }, 'Up 3 minutes (Paused)'],
    [{ status: 'restarting' }, 'Restarting (3) 3 seconds ago'],
    [{ status: 'exited' }, 'Exited (3) 3 seconds ago'],
    [{ status: 'exited', finishedAt: zeroTime }, ''],
    [{ status: 'created' }, 'Created'],
    [{ status: 'dead' }, 'Dead'],
    [{ status: 'removing' }, 'Removal In Progress'],
  ]
  for (const [changes, text] of cases) assert.equal(statusText(state(changes), now), text)
})
