import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followNames } from './follow-names.ts'

const links = new Map([
  ['Dockerfile', 'real/My.Dockerfile'],
  ['real', '/there'],
  ['up', '../../out'],
  ['a', 'b'],
  ['b', 'a'],
])

test('followNames() follows links of files and directories inside of the tree, and gives up on circles', () => {
  const paths = ['Dockerfile', 'real/x/y', 'up/z', 'plain/file', 'a']
  assert.deepEqual(
    paths.map((path) => followNames(links, path)),
    ['there/My.Dockerfile', 'there/x/y', 'out/z', 'plain/file', undefined],
  )
})
