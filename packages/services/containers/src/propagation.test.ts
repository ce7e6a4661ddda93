import assert from 'node:assert/strict'
import { test } from 'node:test'
import { propagationProblem } from './propagation.ts'

const mounts = [
  { target: '/', optional: ['shared:1'] },
  { target: '/data', optional: [] },
  { target: '/data/in', optional: ['master:7'] },
  { target: '/twice', optional: [] },
  { target: '/twice', optional: ['shared:3'] },
]

test('propagationProblem() asks of the nearest mount, the last one there, what the propagation needs', () => {
  const problems = ['/', '/database', '/data', '/data/x', '/data/in/x', '/twice/x'].map((path) => [
    propagationProblem(path, 'rshared', mounts),
    propagationProblem(path, 'slave', mounts),
  ])
  const [unshared, neither] = ['/data but it is not a shared mount', '/data but it is not a shared or slave mount']
  assert.deepEqual(problems, [
    [undefined, undefined],
    [undefined, undefined],
    [unshared, neither],
    [unshared, neither],
    ['/data/in but it is not a shared mount', undefined],
    [undefined, undefined],
  ])
})
