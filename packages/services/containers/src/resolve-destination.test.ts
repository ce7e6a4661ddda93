import assert from 'node:assert/strict'
import { test } from 'node:test'
import { resolveDestination } from './resolve-destination.ts'

const links = new Map([
  ['/vol', '/proc'],
  ['/a', 'b/../c'],
  ['/c', '../../vol'],
  ['/var/run', '../run'],
  ['/loop', 'loop'],
])
const resolve = (destination: string) => resolveDestination(destination, (path) => links.get(path))

test('resolveDestination() follows links, relative ones and those above the root too', () => {
  const table = {
    '/data': '/data',
    '/vol': '/proc',
    '/vol/sys/kernel': '/proc/sys/kernel',
    '/a/self': '/proc/self',
    '/var/run/app.sock': '/run/app.sock',
  }
  assert.deepEqual(Object.fromEntries(Object.keys(table).map((path) => [path, resolve(path)])), table)
})

test('resolveDestination() refuses a loop', () => {
  assert.throws(() => resolve('/loop/x'), /too many levels of symbolic links/)
})
