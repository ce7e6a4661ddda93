import assert from 'node:assert/strict'
import { lstatSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { create } from '@bufbuild/protobuf'
import { StatSchema, toGoMode } from '@berth/buildkit-protocol'
import { followLinks } from './follow-links.ts'
import { TreeWriter } from './tree-writer.ts'
import { walkDirectory, type WantedFiles } from './walk-directory.ts'

function folderOf(t: TestContext, files: readonly string[] = []): string {
  const folder = mkdtempSync(join(tmpdir(), 'berth-client-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), file)
  }
  return folder
}

const walked = (root: string, wanted: Partial<WantedFiles> = {}): (string | undefined)[] =>
  [...walkDirectory(root, { excludes: [], includes: [], follows: [], ...wanted })].map(({ stat }) => stat.path)

test('walkDirectory() goes by the bytes of names, directories before what is in them', (t) => {
  const root = folderOf(t, ['b/z', 'b.txt', 'B', 'b/a', '\u{1F600}', '\uFB01'])
  assert.deepEqual(walked(root), ['B', 'b', 'b/a', 'b/z', 'b.txt', '\uFB01', '\u{1F600}'])
})

test('walkDirectory() leaves out what is excluded, but for exceptions, with the directories that these are in', (t) => {
  const root = folderOf(t, ['a/keep/x', 'a/y', 'b/z', 'c'])
  assert.deepEqual(walked(root, { excludes: ['a', 'b', '!a/keep'] }), ['a', 'a/keep', 'a/keep/x', 'c'])
})

test('walkDirectory() sends only what is followed, through links within the directory', (t) => {
  const root = folderOf(t, ['real/x', 'real/deep/y', 'other', 'src/1.txt', 'src/2.md'])
  symlinkSync('real', join(root, 'link'))
  symlinkSync('/real/deep', join(root, 'absolute'))
  symlinkSync('../../../etc/passwd', join(root, 'out'))
  assert.deepEqual(walked(root, { follows: ['link/x'] }), ['link', 'real', 'real/x'])
  assert.deepEqual(walked(root, { follows: ['absolute', 'src/*.txt'] }), [
    'absolute',
    'real',
    'real/deep',
    'real/deep/y',
    'src',
    'src/1.txt',
  ])
  assert.deepEqual(walked(root, { follows: ['out'] }), ['out'])
  assert.deepEqual(walked(root, { follows: ['absent'] }), [])
})

test('walkDirectory() tells of further names of a file, and of no owner', (t) => {
  const root = folderOf(t, ['a'])
  linkSync(join(root, 'a'), join(root, 'b'))
  const found = [...walkDirectory(root, { excludes: [], includes: [], follows: [] })]
  const told = found.map(({ stat, open }) => [stat.linkname, stat.uid, open !== undefined])
  assert.deepEqual(told, [
    ['', 0, true],
    ['a', 0, false],
  ])
})

test('followLinks() ends for links that lead to themselves', (t) => {
  const root = folderOf(t)
  symlinkSync('a', join(root, 'a'))
  symlinkSync('b/b', join(root, 'b'))
  assert.ok(followLinks(root, ['a', 'b']).length < 1000)
})

const entry = (path: string, mode: number, linkname = '') =>
  create(StatSchema, { path, mode: toGoMode(mode), linkname })
const [directory, file, link] = [0o040755, 0o100644, 0o120777]

test('TreeWriter makes files, and replaces what was there without following it', (t) => {
  const [root, outside] = [folderOf(t, ['d/old']), folderOf(t, ['victim'])]
  symlinkSync(outside, join(root, 'e'))
  symlinkSync(join(outside, 'victim'), join(root, 'f'))
  using writer = new TreeWriter(root)
  writer.entry(0, entry('d', directory))
  writer.entry(1, entry('d/hard', file, 'f'))
  writer.entry(2, entry('e', directory))
  assert.equal(writer.entry(3, entry('f', file)), true)
  writer.data(3, Buffer.from('new'))
  writer.end(3)
  writer.finish()
  assert.equal(readFileSync(join(root, 'd/hard'), 'utf8'), 'new')
  assert.equal(readFileSync(join(root, 'd/old'), 'utf8'), 'd/old')
  assert.ok(lstatSync(join(root, 'e')).isDirectory())
  assert.equal(readFileSync(join(outside, 'victim'), 'utf8'), 'victim')
})

test('TreeWriter refuses paths that lead out of the directory, or through what is no directory of the tree', (t) => {
  const root = folderOf(t, ['there/x'])
  using writer = new TreeWriter(root)
  writer.entry(0, entry('link', link, '/etc'))
  for (const path of ['../x', '/x', '', '.', 'a/../b', 'link/x', 'there/y', 'a//b', 'x\0']) {
    assert.throws(() => writer.entry(1, entry(path, file)), /invalid path/, path)
  }
  assert.throws(() => writer.entry(1, entry('h', file, '../outside')), /invalid path/)
  assert.throws(() => writer.data(7, Buffer.from('x')), /nobody asked/)
})
