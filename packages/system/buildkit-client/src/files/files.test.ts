import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
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

test('TreeWriter refuses a path that came before: a directory that has become a link leads nowhere', (t) => {
  for (const before of [['d'], ['d', 'd/file']]) {
    const [root, outside] = [folderOf(t), folderOf(t)]
    chmodSync(outside, 0o711)
    using writer = new TreeWriter(root)
    for (const [id, path] of before.entries()) writer.entry(id, entry(path, path === 'd' ? directory : file))
    assert.throws(() => writer.entry(2, entry('d', link, outside)), /invalid path "d"/)
    assert.throws(() => writer.entry(3, entry('d', directory)), /invalid path "d"/)
    if (before.length === 1) writer.entry(1, entry('d/file', file))
    writer.data(1, Buffer.from('x'))
    writer.end(1)
    assert.throws(() => writer.entry(4, entry('d/file', link, outside)), /invalid path/)
    writer.finish()
    assert.equal(readFileSync(join(root, 'd/file'), 'utf8'), 'x')
    assert.deepEqual([readdirSync(outside), lstatSync(outside).mode & 0o777], [[], 0o711])
  }
})

test('TreeWriter makes and changes nothing behind a directory that is a link by now', (t) => {
  const [root, outside] = [folderOf(t), folderOf(t, ['victim'])]
  chmodSync(outside, 0o711)
  using writer = new TreeWriter(root)
  writer.entry(0, entry('d', directory))
  writer.entry(1, entry('d/deep', directory))
  writer.entry(2, entry('d/file', file))
  writer.entry(3, entry('first', file))
  writer.end(3)
  writer.entry(4, entry('victim', file, 'd/victim'))
  // As on a file system where another name is this one's too.
  renameSync(join(root, 'd'), join(root, 'was'))
  symlinkSync(outside, join(root, 'd'))
  const refused = /"d" in the output is no directory any more/
  assert.throws(() => writer.data(2, Buffer.from('x')), refused)
  assert.throws(() => writer.end(2), refused)
  assert.throws(() => writer.entry(5, entry('d/link', link, 'victim')), refused)
  assert.throws(() => writer.entry(6, entry('d/pipe', 0o010644)), refused)
  assert.throws(() => writer.entry(7, entry('d/directory', directory)), refused)
  assert.throws(() => writer.finish(), refused)
  const told = [readdirSync(outside), lstatSync(outside).mode & 0o777, lstatSync(join(outside, 'victim')).nlink]
  assert.deepEqual(told, [['victim'], 0o711, 1])
})

test('TreeWriter changes neither mode nor time of what a link that stands for a directory leads to', (t) => {
  const [root, outside] = [folderOf(t), folderOf(t)]
  chmodSync(outside, 0o711)
  const { mtimeMs } = lstatSync(outside)
  using writer = new TreeWriter(root)
  writer.entry(0, entry('d', directory))
  rmSync(join(root, 'd'), { recursive: true })
  symlinkSync(outside, join(root, 'd'))
  assert.throws(() => writer.finish(), /"d" in the output is no directory any more/)
  const { mode, mtimeMs: after } = lstatSync(outside)
  assert.deepEqual([mode & 0o777, after], [0o711, mtimeMs])
})
