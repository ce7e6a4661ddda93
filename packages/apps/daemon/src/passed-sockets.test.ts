import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passedAgain, takePassedSockets } from './passed-sockets.ts'

test('takePassedSockets() takes what was passed to this process, and leaves no word of it to its children', () => {
  const passed = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a:b', LISTEN_PIDFDID: '9' }
  const environment: NodeJS.ProcessEnv = { ...passed, PATH: '/bin' }
  assert.deepEqual(takePassedSockets(environment, 7), [3, 4])
  assert.deepEqual(environment, { PATH: '/bin' })
  assert.deepEqual(takePassedSockets({ ...passed }, 8), [])
  for (const count of ['', '-1', 'x', '99999999']) {
    assert.deepEqual(takePassedSockets({ ...passed, LISTEN_FDS: count }, 7), [])
  }
  assert.deepEqual(takePassedSockets({}, 7), [])
})

test('passedAgain() has the next program of the process take them', () => {
  assert.deepEqual(takePassedSockets(passedAgain([3, 4, 5], 7), 7), [3, 4, 5])
  assert.deepEqual(passedAgain([], 7), {})
})
