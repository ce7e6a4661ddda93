import { tarEntry, type TarSource, writeTar } from '@berth/archive'
import assert from 'node:assert/strict'
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { unpackLocal } from './unpack-local.ts'

let root: string
let target: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-unpack-'))
  target = join(root, 'target')
  mkdirSync(target)
  mkdirSync(join(root, 'outside'))
  writeFileSync(join(root, 'outside/canary'), 'secret')
})
afterEach(() => {
  assert.equal(readFileSync(join(root, 'outside/canary'), 'utf8'), 'secret')
  assert.deepEqual(readdirSync(join(root, 'outside')), ['canary'])
  rmSync(root, { recursive: true })
})

const file = (path: string, content = path): TarSource => ({
  entry: tarEntry({ path, sizeBytes: content.length, mtime: { seconds: 1e9, nanoseconds: 0 } }),
  content: Buffer.from(content),
})
const directory = (path: string): TarSource => ({ entry: tarEntry({ path, type: 'directory', mode: 0o500 }) })
const link = (path: string, linkPath: string): TarSource => ({ entry: tarEntry({ path, type: 'symlink', linkPath }) })
const hard = (path: string, linkPath: string): TarSource => ({ entry: tarEntry({ path, type: 'hardlink', linkPath }) })
const unpack = (...members: TarSource[]): Promise<void> => unpackLocal(writeTar(members), target, undefined)

test('unpackLocal() makes files, directories, links and hard links, with modes and times', async () => {
  await unpack(directory('d/'), file('d/f', 'content'), link('d/l', 'f'), hard('d/h', 'd/f'), file('p/q', ''))
  assert.deepEqual(readdirSync(join(target, 'd')), ['f', 'h', 'l'])
  assert.equal(readFileSync(join(target, 'd/h'), 'utf8'), 'content')
  assert.equal(readlinkSync(join(target, 'd/l')), 'f')
  const { mode, mtimeMs, nlink } = lstatSync(join(target, 'd/f'))
  assert.deepEqual([mode & 0o777, mtimeMs, nlink, lstatSync(join(target, 'd')).mode & 0o777], [0o644, 1e12, 2, 0o500])
})

test('unpackLocal() stays in the directory, whatever names and links say', async () => {
  const outside = join(root, 'outside')
  const hostile: TarSource[][] = [
    [file('../outside/canary', 'x')],
    [file('a/../../outside/canary', 'x')],
    [link('l', outside), file('l/canary', 'x')],
    [link('l', '../outside'), file('l/new', 'x')],
    [link('l', outside), directory('l/'), file('l/canary', 'x')],
    [directory('d/'), link('d/l', '../../outside'), file('d/l/canary', 'x')],
    [hard('h', '../outside/canary')],
    [link('l', outside), hard('h', 'l/canary')],
  ]
  for (const members of hostile) {
    await assert.rejects(unpack(...members), /leads out|no directory|cannot overwrite/)
    rmSync(target, { recursive: true })
    mkdirSync(target)
  }
  await unpack(file(`${outside}/canary`, 'inside'))
  assert.equal(readFileSync(join(target, outside, 'canary'), 'utf8'), 'inside')
})

test('unpackLocal() replaces a link rather than writing through it', async () => {
  symlinkSync(join(root, 'outside/canary'), join(target, 'f'))
  await unpack(file('f', 'x'))
  assert.equal(lstatSync(join(target, 'f')).isFile(), true)
})

test('unpackLocal() keeps kinds, and renames entries', async () => {
  mkdirSync(join(target, 'd'))
  writeFileSync(join(target, 'f'), '')
  await assert.rejects(unpack(file('d', 'x')), /cannot overwrite directory ".*d" with non-directory/)
  await assert.rejects(unpack(directory('f/')), /cannot overwrite non-directory ".*f" with directory/)
  await unpackLocal(writeTar([directory('a/'), file('a/x'), hard('a/h', 'a/x')]), target, { from: 'a', to: 'b' })
  assert.deepEqual(readdirSync(join(target, 'b')), ['h', 'x'])
})
