import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeEnv, replaceEnv } from './env.ts'

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

test("composeEnv() keeps Docker's order", () => {
  assert.deepEqual(composeEnv({ hostname: 'h', terminal: true, linked: ['DB=x'], own: ['A=1'], home: '/root' }), [
    path,
    'HOSTNAME=h',
    'TERM=xterm',
    'DB=x',
    'A=1',
    'HOME=/root',
  ])
})

test('composeEnv() lets the user replace, empty and remove defaults', () => {
  const own = ['HOSTNAME', 'PATH=/p', 'HOME=', 'A=b=c']
  assert.deepEqual(composeEnv({ hostname: 'h', terminal: false, own, home: '/root' }), ['PATH=/p', 'HOME=', 'A=b=c'])
})

test('replaceEnv() lets the last of one name win, in the first place', () => {
  assert.deepEqual(replaceEnv(['A=1', 'B=2'], ['C=3', 'A=4', 'C=5']), ['A=4', 'B=2', 'C=5'])
})
