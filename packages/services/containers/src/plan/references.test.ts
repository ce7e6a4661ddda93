import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ContainerId, invalid } from '@berth/base'
import { plan } from './fixtures.ts'
import { resolveReferences } from './references.ts'

const known = (ref: string): ContainerId => {
  if (ref !== 'db') throw invalid(`No such container: ${ref}`)
  return 'id-of-db' as ContainerId
}

test('resolveReferences() puts ids in the place of names', () => {
  const hostConfig = { PidMode: 'container:db', IpcMode: 'container:db', NetworkMode: 'container:db' }
  const resolved = resolveReferences(plan({ hostConfig }), known)
  assert.deepEqual(
    [resolved.PidMode, resolved.IpcMode, resolved.NetworkMode],
    ['container:id-of-db', 'container:id-of-db', 'container:id-of-db'],
  )
})

test('resolveReferences() needs processes and IPC to exist, networks only at start', () => {
  const resolve = (hostConfig: object) => () => resolveReferences(plan({ hostConfig }), known)
  assert.throws(resolve({ PidMode: 'container:x' }), { kind: 'invalid', message: 'No such container: x' })
  assert.equal(resolve({ NetworkMode: 'container:x' })().NetworkMode, 'container:x')
})

test('resolveReferences() needs linked containers to exist, but on networks of users: their DNS finds who comes later', () => {
  const resolve = (NetworkMode: string) => () =>
    resolveReferences(plan({ hostConfig: { NetworkMode, Links: ['x:alias'] } }), known)
  for (const mode of ['', 'default', 'bridge', 'none']) {
    assert.throws(resolve(mode), { kind: 'invalid', message: 'could not get container for x: No such container: x' })
  }
  assert.deepEqual(resolve('users')().Links, ['x:alias'])
})
