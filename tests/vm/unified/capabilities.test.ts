// What root may do that has every capability: scores and limits beyond those of the engine.
import { Cli, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { test } from 'node:test'

const engine = useEngine()
const cli = new Cli('berth', engine)

test('--oom-score-adj makes the kernel spare a container', async () => {
  const score = ['cat', '/proc/self/oom_score_adj']
  assert.equal(await cli.ok('run', '--rm', '--oom-score-adj', '-500', 'busybox', ...score), '-500')
})

test('--ulimit raises a limit above the engine’s own', async () => {
  const limits = ['sh', '-c', 'ulimit -Hn; ulimit -l']
  const raised = ['--ulimit', 'nofile=1048570:1048570', '--ulimit', 'memlock=-1:-1']
  assert.equal(await cli.ok('run', '--rm', ...raised, 'busybox', ...limits), '1048570\nunlimited')
})
