import assert from 'node:assert/strict'
import { constants, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fillTree } from './fill-tree.ts'
import { unshareFiles } from './unshare-files.ts'
import { encodeTreeRecord, type TreeEntry, type TreeRecord } from './tree-records.ts'

const { S_IFDIR, S_IFIFO, S_IFLNK, S_IFREG } = constants
let lastId = 0

const entryOf = (path: string, mode: number, fields: Partial<TreeEntry> = {}): TreeEntry => ({
  id: lastId++,
  path,
  mode,
  uid: 0,
  gid: 0,
  sizeBytes: 0,
  mtimeNs: 1_500_000_000_123_456_789n,
  link: '',
  device: { major: 0, minor: 0 },
  ...fields,
})

const only = (path: string, mode: number, fields: Partial<TreeEntry> = {}): TreeRecord[] => [
  { kind: 'entry', entry: entryOf(path, mode, fields) },
]

function file(path: string, content: string, fields: Partial<TreeEntry> = {}): TreeRecord[] {
  const entry = entryOf(path, S_IFREG | 0o640, { sizeBytes: Buffer.byteLength(content), ...fields })
  const pieces = [...content].map((c): TreeRecord => ({ kind: 'data', id: entry.id, bytes: Buffer.from(c) }))
  return [{ kind: 'entry', entry }, ...pieces, { kind: 'end', id: entry.id }]
}

/** Fills a tree with records that arrive in pieces of a few bytes. */
async function fill(t: TestContext, records: readonly TreeRecord[], base?: string): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'berth-fill-'))
  t.after(() => rmSync(root, { recursive: true }))
  const target = join(root, 'target')
  mkdirSync(target)
  const bytes = Buffer.concat(records.map(encodeTreeRecord))
  const chunks = (async function* () {
    for (let at = 0; at < bytes.length; at += 7) yield bytes.subarray(at, at + 7)
  })()
  await fillTree({ target, base }, chunks, new AbortController().signal)
  return target
}

test('fillTree() makes directories, files, links and special files with their metadata', async (t) => {
  const target = await fill(t, [
    ...only('d', S_IFDIR | 0o2755, { uid: 3, gid: 4 }),
    ...file('d/f', 'text', { uid: 1, gid: 2 }),
    ...file('e', ''),
    ...only('hard', S_IFREG, { link: 'd/f' }),
    ...only('l', S_IFLNK | 0o777, { link: '/etc/passwd' }),
    ...only('p', S_IFIFO | 0o600),
  ])
  assert.deepEqual(readdirSync(target).toSorted(), ['d', 'e', 'hard', 'l', 'p'])
  assert.equal(readFileSync(join(target, 'd/f'), 'utf8'), 'text')
  assert.equal(readlinkSync(join(target, 'l')), '/etc/passwd')
  const summary = (name: string) => {
    const { mode, uid, gid, mtimeNs, nlink } = lstatSync(join(target, name), { bigint: true })
    return [mode.toString(8), Number(uid), Number(gid), mtimeNs, Number(nlink)]
  }
  const mtimeNs = 1_500_000_000_123_456_789n
  assert.deepEqual(summary('d'), ['42755', 3, 4, mtimeNs, 2])
  assert.deepEqual(summary('d/f'), ['100640', 1, 2, mtimeNs, 2])
  assert.deepEqual(summary('p'), ['10600', 0, 0, mtimeNs, 1])
  assert.deepEqual(summary('l').slice(3), [mtimeNs, 1])
})

const link = only('l', S_IFLNK, { link: '/etc' })
for (const [what, records, message] of [
  ['a path out of the tree', file('../x', 'x'), /leads out|invalid path/],
  ['an absolute path', file('/x', 'x'), /invalid path/],
  ['a path that is not clean', file('a//b', 'x'), /invalid path/],
  ['the root itself', only('', S_IFDIR), /invalid path/],
  ['a path through a symlink', [...link, ...file('l/x', 'x')], /did not come before/],
  [
    'a symlink in the place of a directory',
    [...only('d', S_IFDIR), ...only('d', S_IFLNK, { link: '/' })],
    /came twice/,
  ],
  ['a directory in the place of a symlink', [...link, ...only('l', S_IFDIR)], /came twice/],
  ['a hard link to what is outside', only('h', S_IFREG, { link: '../canary' }), /no earlier file/],
  ['a hard link to a symlink', [...link, ...only('h', S_IFREG, { link: 'l' })], /no earlier file/],
  ['a file that is longer than it says', file('f', 'long', { sizeBytes: 3 }), /longer than its 3 bytes/],
  ['content of nothing', [{ kind: 'data', id: 99, bytes: Buffer.from('x') }], /nothing is to be written/],
  ['a file that does not end', file('f', 'x').slice(0, -1), /before its files did/],
  ['a file of no type', only('f', 0o644), /no known type/],
] as const) {
  test(`fillTree() refuses ${what}`, async (t) => {
    await assert.rejects(fill(t, records as readonly TreeRecord[]), message)
  })
}

/** A file whose content is what the tree before has. */
const same = (path: string): TreeRecord[] => {
  const [entry] = file(path, 'text')
  return entry?.kind === 'entry' ? [entry, { kind: 'same', id: entry.entry.id }] : []
}

test('fillTree() takes files from a tree before, and unshareFiles() makes them its own again', async (t) => {
  const base = await fill(t, [
    ...only('d', S_IFDIR | 0o755),
    ...file('d/f', 'text', { uid: 5, gid: 6 }),
    ...file('g', 'g'),
  ])
  const target = await fill(t, [...only('d', S_IFDIR | 0o755), ...same('d/f'), ...file('h', 'new')], base)
  const status = (path: string) => lstatSync(path, { bigint: true })
  assert.equal(status(join(target, 'd/f')).ino, status(join(base, 'd/f')).ino)
  const before = status(join(target, 'd/f'))
  assert.equal(unshareFiles({ root: target, maxFiles: 0 }), false)
  assert.equal(unshareFiles({ root: target, maxFiles: 5 }), true)
  const after = status(join(target, 'd/f'))
  assert.deepEqual([after.nlink, status(join(base, 'd/f')).nlink], [1n, 1n])
  const metadata = ({ mode, uid, gid, mtimeNs, size }: typeof after) => [mode, uid, gid, mtimeNs, size]
  assert.deepEqual(metadata(after), metadata(before))
  assert.equal(readFileSync(join(target, 'd/f'), 'utf8'), 'text')
  assert.deepEqual(readdirSync(target).toSorted(), ['d', 'h'])
})

test('fillTree() takes nothing where there is no tree before, and no file twice', async (t) => {
  await assert.rejects(fill(t, same('f')), { kind: 'invalid' })
  const base = await fill(t, file('f', 'text'))
  const [entry, taken] = same('f')
  assert.ok(entry && taken)
  await assert.rejects(fill(t, [entry, taken, taken], base), { kind: 'invalid' })
})
