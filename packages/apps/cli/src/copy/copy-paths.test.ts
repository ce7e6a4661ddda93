import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cleanPath,
  type CopyInfo,
  keepEnd,
  planArchiveCopy,
  rebaseLink,
  splitCopyArgument,
  splitDirectoryEntry,
} from './copy-paths.ts'

test('splitCopyArgument() tells a container from a local path', () => {
  assert.deepEqual(splitCopyArgument('web:/a:b'), { container: 'web', path: '/a:b' })
  for (const path of ['/a:b', './a:b', '../a:b', 'a', '-']) {
    assert.deepEqual(splitCopyArgument(path), { container: '', path })
  }
  assert.deepEqual(splitCopyArgument('web:'), { container: 'web', path: '' })
})

test('paths are cleaned and split as Go does', () => {
  assert.deepEqual(['/a/', 'a//b/../c', '', '/', './'].map(cleanPath), ['/a', 'a/c', '.', '/', '.'])
  assert.deepEqual([keepEnd('/a', 'x/'), keepEnd('/a', 'x/.'), keepEnd('/', '.')], ['/a/', '/a/.', '/.'])
  assert.deepEqual(splitDirectoryEntry('/a/b/'), { directory: '/a', name: 'b' })
  assert.deepEqual(splitDirectoryEntry('/a/b/.'), { directory: '/a/b', name: '.' })
  assert.deepEqual(splitDirectoryEntry('/a'), { directory: '/', name: 'a' })
  assert.deepEqual(splitDirectoryEntry('a'), { directory: '.', name: 'a' })
  assert.deepEqual(splitDirectoryEntry('/'), { directory: '/', name: '/' })
})

test('rebaseLink() keeps the end of the path, and its name where the link has another', () => {
  assert.deepEqual(rebaseLink('/l', '/t'), { path: '/t', rebaseName: 'l' })
  assert.deepEqual(rebaseLink('/l/', '/t'), { path: '/t/', rebaseName: 'l' })
  assert.deepEqual(rebaseLink('/l/.', '/t'), { path: '/t/.', rebaseName: '' })
  assert.deepEqual(rebaseLink('/x/l', '/y/l'), { path: '/y/l', rebaseName: '' })
})

const info = (path: string, fields: Partial<CopyInfo> = {}): CopyInfo => ({
  path,
  exists: true,
  isDirectory: false,
  rebaseName: '',
  ...fields,
})
const directory = { isDirectory: true }
const absent = { exists: false }

test('planArchiveCopy() unpacks into a directory, renames to a file, and refuses what Docker refuses', () => {
  assert.deepEqual(planArchiveCopy(info('/s'), info('/d', directory)), { directory: '/d' })
  assert.deepEqual(planArchiveCopy(info('/s'), info('/d/f')), { directory: '/d', rename: { from: 's', to: 'f' } })
  assert.deepEqual(planArchiveCopy(info('/s', directory), info('/d/n', absent)), {
    directory: '/d',
    rename: { from: 's', to: 'n' },
  })
  assert.deepEqual(planArchiveCopy(info('/s/.', directory), info('/d/n', absent)).rename, { from: '.', to: 'n' })
  assert.deepEqual(planArchiveCopy(info('/', directory), info('/d/n', absent)).rename, { from: '', to: 'n' })
  assert.deepEqual(planArchiveCopy(info('/s', { rebaseName: 'l' }), info('/d/n', absent)).rename, {
    from: 'l',
    to: 'n',
  })
  assert.throws(() => planArchiveCopy(info('/s', directory), info('/d/f')), /^Error: cannot copy directory$/)
  assert.throws(() => planArchiveCopy(info('/s'), info('/d/n/', absent)), /^Error: no such directory$/)
})
