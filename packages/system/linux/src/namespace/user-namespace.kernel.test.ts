import assert from 'node:assert/strict'
import { chownSync, closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { attachMount, cloneMount } from '../mount/detached-mount.ts'
import { unmount } from '../mount/mount.ts'
import { openUserNamespace } from './user-namespace.ts'

test('cloneMount() in a user namespace shows files under other owners, and writes them under their own', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'berth-idmap-'))
  const [source, target] = [join(directory, 'source'), join(directory, 'target')]
  for (const path of [source, target]) mkdirSync(path)
  writeFileSync(join(source, 'theirs'), '')
  for (const path of [source, join(source, 'theirs')]) chownSync(path, 1000, 1001)
  const maps = { uids: [{ inside: 1000, outside: 0, length: 1 }], gids: [{ inside: 1001, outside: 0, length: 1 }] }
  const userNamespace = await openUserNamespace(maps)
  const mount = cloneMount(source, { isPlain: true, userNamespace })
  const at = openSync(target, 'r')
  attachMount(mount, at)
  for (const fd of [mount, at, userNamespace]) closeSync(fd)
  try {
    const owner = (path: string) => [statSync(path).uid, statSync(path).gid]
    assert.deepEqual(owner(join(target, 'theirs')), [0, 0])
    writeFileSync(join(target, 'mine'), '')
    assert.deepEqual(owner(join(source, 'mine')), [1000, 1001])
    // What no map names is nobody's.
    writeFileSync(join(source, 'root'), '')
    assert.deepEqual(owner(join(target, 'root')), [65534, 65534])
  } finally {
    unmount(target)
    rmSync(directory, { recursive: true })
  }
})

test('openUserNamespace() refuses maps that overlap', async () => {
  const range = { inside: 0, outside: 0, length: 2 }
  await assert.rejects(openUserNamespace({ uids: [range, range], gids: [] }), { code: 'EINVAL' })
})
