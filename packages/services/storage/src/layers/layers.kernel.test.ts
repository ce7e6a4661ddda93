import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { encodeHeader, opaqueXattr, type TarEntry, tarEntry, type TarSource, writeTar } from '@berth/archive'
import { AT_FDCWD, fstatat, getXattr, mkdirat, mknodat, mount, setXattr, unmount } from '@berth/linux'
import { sha256 } from '@berth/oci'
import { mountPoints, mountsSince } from '@berth/testing'
import { openConnection } from '../testing/connection.ts'
import { namesIn, openDirectory } from './directory.ts'
import { LayerWorker } from './layer-worker.ts'
import type { UnpackTask } from './unpack-layer.ts'

const worker = new LayerWorker({ threads: 1 })
const mountsBefore = mountPoints()
let root: string
let target: string
let canary: string

before(() => {
  root = mkdtempSync(join(tmpdir(), 'berth-layers-'))
  mount({ source: 'layers', target: root, type: 'tmpfs' })
})

after(async () => {
  await worker[Symbol.asyncDispose]()
  unmount(root)
  rmSync(root, { recursive: true })
  assert.deepEqual(mountsSince(mountsBefore), [])
})

beforeEach(() => {
  target = join(root, 'target')
  canary = join(root, 'canary')
  mkdirSync(target)
  mkdirSync(canary)
  writeFileSync(join(canary, 'file'), 'untouched')
})

afterEach(() => {
  const [name, ...more] = readdirSync(canary)
  assert.deepEqual([name, more, readFileSync(join(canary, 'file'), 'utf8')], ['file', [], 'untouched'])
  assert.equal(lstatSync(join(canary, 'file')).nlink, 1)
  for (const path of readdirSync(root)) rmSync(join(root, path), { recursive: true })
})

type Member = TarSource | (Partial<TarEntry> & { readonly path: string; readonly content?: string })

async function tar(members: readonly Member[]): Promise<Buffer> {
  const sources = members.map((member) => {
    if ('entry' in member) return member
    const { content = '', ...fields } = member
    return { entry: tarEntry({ sizeBytes: content.length, ...fields }), content: Buffer.from(content) }
  })
  return Buffer.concat(await Array.fromAsync(writeTar(sources, { nanoseconds: true })))
}

async function apply(bytes: Buffer | readonly Member[], task: Partial<UnpackTask> = {}) {
  const source = join(root, 'layer.tar')
  writeFileSync(source, Buffer.isBuffer(bytes) ? bytes : await tar(bytes as Member[]))
  return await worker.run('unpack', { source, target, whiteouts: 'overlay', ...task })
}

const at = (path: string): string => join(target, path)
const dir = (path: string, fields: Partial<TarEntry> = {}): Member => ({ path, type: 'directory', ...fields })
const link = (path: string, linkPath: string): Member => ({ path, type: 'symlink', linkPath })
const hard = (path: string, linkPath: string): Member => ({ path, type: 'hardlink', linkPath })

// -- what an honest layer asks for

test('unpackLayer() sets owners, modes, times and attributes', async () => {
  const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex')
  const mtime = { seconds: 1_600_000_000, nanoseconds: 123_456_789 }
  await apply([
    dir('d', { mode: 0o1777, mtime }),
    {
      path: 'd/suid',
      content: 'x',
      mode: 0o4755,
      uid: 1000,
      gid: 4_294_967_294,
      mtime,
      xattrs: new Map([['security.capability', capability]]),
    },
    { path: 'd/link', type: 'symlink', linkPath: '/nowhere', uid: 5, gid: 6, mtime },
    { path: 'd/fifo', type: 'fifo', mode: 0o622 },
    { path: 'd/null', type: 'character', mode: 0o666, deviceMajor: 1, deviceMinor: 3 },
    { path: 'd/disk', type: 'block', deviceMajor: 259, deviceMinor: 70_000 },
    { path: 'd/same', type: 'hardlink', linkPath: 'd/suid', mode: 0o4755, uid: 1000, gid: 4_294_967_294, mtime },
  ])
  const suid = fstatat(AT_FDCWD, at('d/suid'))
  assert.deepEqual([suid.mode & 0o7777, suid.uid, suid.gid, suid.nlink], [0o4755, 1000, 4_294_967_294, 2])
  assert.equal(suid.mtimeNs, 1_600_000_000_123_456_789n)
  assert.deepEqual(getXattr(at('d/suid'), 'security.capability'), capability)
  const linked = fstatat(AT_FDCWD, at('d/link'))
  assert.deepEqual([linked.uid, linked.gid, linked.mtimeNs], [5, 6, 1_600_000_000_123_456_789n])
  assert.equal(readlinkSync(at('d/link')), '/nowhere')
  assert.equal(fstatat(AT_FDCWD, at('d/fifo')).mode, 0o010622)
  assert.deepEqual(fstatat(AT_FDCWD, at('d/null')).rdev, { major: 1, minor: 3 })
  assert.deepEqual(fstatat(AT_FDCWD, at('d/disk')).rdev, { major: 259, minor: 70_000 })
  const directory = fstatat(AT_FDCWD, at('d'))
  assert.deepEqual([directory.mode & 0o7777, directory.mtimeNs], [0o1777, 1_600_000_000_123_456_789n])
})

test('unpackLayer() gives a file what the last entry of its names says, and links of symlinks their owner alone', async () => {
  const mtime = { seconds: 1_600_000_000, nanoseconds: 0 }
  await apply([
    { path: 'f', content: 'x', mode: 0o644, uid: 1, gid: 2 },
    {
      path: 'g',
      type: 'hardlink',
      linkPath: 'f',
      mode: 0o4711,
      uid: 3,
      gid: 4,
      mtime,
      xattrs: new Map([['user.a', Buffer.from('b')]]),
    },
    link('s', join(canary, 'file')),
    { path: 't', type: 'hardlink', linkPath: 's', mode: 0o777, uid: 5, gid: 6, mtime },
  ])
  const { mode, uid, gid, mtimeNs, nlink } = fstatat(AT_FDCWD, at('f'))
  assert.deepEqual([mode & 0o7777, uid, gid, mtimeNs, nlink], [0o4711, 3, 4, 1_600_000_000_000_000_000n, 2])
  assert.equal(getXattr(at('f'), 'user.a')?.toString(), 'b')
  const symlink = lstatSync(at('s'))
  assert.deepEqual([symlink.uid, symlink.gid, symlink.nlink], [5, 6, 2])
  assert.equal(statSync(join(canary, 'file')).uid, 0)
})

test('unpackLayer() takes no file of another file system for the same, whatever its number', async () => {
  for (const name of ['a', 'b']) {
    mkdirSync(at(name))
    mount({ source: 'other', target: at(name), type: 'tmpfs' })
    writeFileSync(join(at(name), 'f'), name)
  }
  try {
    assert.equal(statSync(at('a/f')).ino, statSync(at('b/f')).ino)
    await assert.rejects(apply([hard('b/f', 'a/f')]), /EXDEV|cross-device/i)
  } finally {
    for (const name of ['a', 'b']) unmount(at(name))
  }
})

test('unpackLayer() tells the diff id of what is inside, whatever the compression', async () => {
  const plain = await tar([{ path: 'f', content: 'content' }])
  for (const bytes of [plain, gzipSync(plain), zstdCompressSync(plain), execFileSync('xz', ['-c'], { input: plain })]) {
    const result = await apply(bytes)
    assert.deepEqual(result, { diffId: sha256(plain), sizeBytes: 7, setsRoot: false })
    rmSync(at('f'))
  }
})

test('unpackLayer() believes a verified digest only of a plain tar', async () => {
  const plain = await tar([{ path: 'f', content: 'content' }])
  const blobDigest = sha256('verified elsewhere')
  assert.equal((await apply(plain, { blobDigest })).diffId, blobDigest)
  assert.equal((await apply(gzipSync(plain), { blobDigest })).diffId, sha256(plain))
})

test('unpackLayer() lets the last of two members of one name count', async () => {
  const result = await apply([
    { path: 'file', content: 'first' },
    { path: 'file', content: 'second' },
    dir('dir'),
    { path: 'dir/x', content: 'x' },
    { path: 'dir', content: 'a file now' },
    { path: 'other', content: 'y' },
    dir('other'),
    link('l', 'a'),
    link('l', 'b'),
    dir('kept', { mode: 0o700 }),
    { path: 'kept/x' },
    dir('kept', { mode: 0o755 }),
  ])
  assert.equal(readFileSync(at('file'), 'utf8'), 'second')
  assert.equal(readFileSync(at('dir'), 'utf8'), 'a file now')
  assert.equal(statSync(at('other')).isDirectory(), true)
  assert.equal(readlinkSync(at('l')), 'b')
  assert.equal(existsSync(at('kept/x')), true)
  assert.equal(result.sizeBytes, 'second'.length + 'a file now'.length + 1)
})

test('unpackLayer() makes parents that the archive does not name', async () => {
  await apply([{ path: 'a/b/c', content: 'x' }])
  assert.deepEqual([statSync(at('a/b')).mode & 0o7777, statSync(at('a/b')).uid], [0o755, 0])
})

test('unpackLayer() keeps holes', async () => {
  const size = 1 << 30
  execFileSync('truncate', ['-s', String(size), join(root, 'holes')])
  execFileSync(
    'dd',
    ['if=/dev/zero', 'conv=notrunc', 'bs=1', 'count=3', `of=${join(root, 'holes')}`, 'seek=500000000'],
    { stdio: 'ignore' },
  )
  for (const format of ['gnu', 'posix']) {
    await apply(execFileSync('tar', ['-cS', `--format=${format}`, '-C', root, 'holes']))
    assert.equal(lstatSync(at('holes')).size, size)
    assert.ok(lstatSync(at('holes')).blocks < 100)
    rmSync(at('holes'))
  }
})

test('unpackLayer() turns whiteouts into those of overlayfs', async () => {
  await apply([
    dir('d'),
    { path: 'd/.wh.gone' },
    { path: '.wh.top' },
    dir('o'),
    { path: 'o/.wh..wh..opq' },
    { path: '.wh..wh.aufs' },
  ])
  for (const path of ['d/gone', 'top']) {
    const { mode, rdev } = fstatat(AT_FDCWD, at(path))
    assert.deepEqual([mode & 0o170000, rdev], [0o020000, { major: 0, minor: 0 }])
  }
  assert.equal(getXattr(at('o'), opaqueXattr)?.toString(), 'y')
  assert.deepEqual(readdirSync(target).toSorted(), ['d', 'o', 'top'])
})

test('unpackLayer() drops whiteouts where nothing lies beneath', async () => {
  await apply([{ path: '.wh.gone' }, dir('o'), { path: 'o/.wh..wh..opq' }], { whiteouts: 'none' })
  assert.deepEqual(readdirSync(target), ['o'])
  assert.equal(getXattr(at('o'), opaqueXattr), undefined)
})

test('unpackLayer() puts a directory in the place of a symlink in a directory', async () => {
  await apply([dir('d'), link('d/l', 'elsewhere'), dir('d/l'), { path: 'd/l/below', content: 'x' }])
  assert.equal(readFileSync(at('d/l/below'), 'utf8'), 'x')
})

test('unpackLayer() puts anything in the place of a symlink in a directory', async () => {
  const members: Member[] = [
    { path: '1/x', content: 'y' },
    hard('2/x', '2/first'),
    link('3/x', 'first'),
    { path: '4/x', type: 'fifo' },
  ]
  // Another directory is open before that of each link: descriptors change when it goes.
  const layer = members.flatMap((member, i) => {
    const d = `${i + 1}`
    const before = [dir(`a${d}`), { path: `a${d}/f` }, dir(d), { path: `${d}/first`, content: 'x' }]
    return [...before, link(`${d}/x`, 'elsewhere'), member]
  })
  await apply(layer)
  assert.deepEqual(
    [1, 2, 3].map((d) => readFileSync(at(`${d}/x`), 'utf8')),
    ['y', 'x', 'x'],
  )
  assert.ok(lstatSync(at('4/x')).isFIFO())
})

test('unpackLayer() removes all that lies in an opaque directory, whatever it is', async () => {
  await apply([dir('d'), dir('d/a'), link('d/b', 'a'), dir('d/c'), { path: 'd/e' }], { whiteouts: 'none' })
  await apply([dir('d'), { path: 'd/.wh..wh..opq' }, { path: 'd/new' }], { whiteouts: 'remove' })
  assert.deepEqual(readdirSync(at('d')), ['new'])
})

test('unpackLayer() keeps names that are not UTF-8', async () => {
  await apply([{ path: 'd/caf\udce9', content: 'x' }, link('l', 'caf\udce9'), hard('h\udcff', 'd/caf\udce9')])
  assert.deepEqual(readdirSync(at('d'), { encoding: 'buffer' })[0], Buffer.from('caf\xe9', 'latin1'))
  const packed = Buffer.concat(
    await Array.fromAsync(worker.stream('export', { path: target }) as AsyncIterable<Buffer>),
  )
  assert.ok(packed.includes(Buffer.from('caf\xe9', 'latin1')))
})

// -- what a hostile one asks for

const refused: Record<string, { readonly members: readonly Member[]; readonly message: RegExp }> = {
  'a name that climbs out': { members: [{ path: '../canary/file', content: 'pwned' }], message: /leads out/ },
  'a name that climbs out later': { members: [{ path: 'a/../../canary/file' }], message: /leads out/ },
  'a whiteout that climbs out': { members: [{ path: '../canary/.wh.file' }], message: /leads out/ },
  "a whiteout of a directory's parent": { members: [{ path: 'a/.wh...' }], message: /hides no name/ },
  'a hard link to outside': { members: [hard('h', '../canary/file')], message: /leads out/ },
  'a hard link to an absolute path outside': {
    members: [hard('h', '/proc/self/environ')],
    message: /which is not there/,
  },
  'a hard link through a symlink to outside': {
    members: [link('s', '../canary'), hard('h', 's/file')],
    message: /no directory|which is not there/,
  },
  'a hard link to a directory': { members: [dir('d'), hard('h', 'd')], message: /not permitted/ },
  'a hard link to the root': { members: [hard('h', '.')], message: /which is not there/ },
  'a hard link to nothing': { members: [hard('h', 'nothing')], message: /which is not there/ },
  'an owner of 2^32-1': { members: [{ path: 'f', uid: 2 ** 32 - 1 }], message: /owner 4294967295:0 is out of range/ },
  'a group of 2^32': { members: [{ path: 'f', gid: 2 ** 32 }], message: /out of range/ },
  'a device number that wraps': {
    members: [{ path: 'f', type: 'block', deviceMajor: 5000 }],
    message: /device 5000:0/,
  },
  'a file where a directory must be': { members: [{ path: 'f' }, { path: 'f/x' }], message: /no directory/ },
  'a symlink loop for a parent': { members: [link('a', 'b'), link('b', 'a'), { path: 'a/x' }], message: /a\/x/ },
  'a symlink without a target': { members: [link('s', '')], message: /empty target/ },
  'a root that is no directory': { members: [{ path: './', type: 'fifo' }], message: /cannot be the root/ },
  'a component of 256 bytes': { members: [{ path: 'n'.repeat(256) }], message: /component/ },
}

for (const [name, { members, message }] of Object.entries(refused)) {
  test(`unpackLayer() refuses ${name}`, async () => {
    await assert.rejects(apply(members), { kind: 'invalid', message })
  })
}

test('unpackLayer() takes absolute names as those of its root', async () => {
  await apply([
    { path: `${'/'}canary/file`, content: 'inside' },
    { path: `${join(root, 'canary')}/file`, content: 'inside too' },
  ])
  assert.equal(readFileSync(at('canary/file'), 'utf8'), 'inside')
})

test('unpackLayer() never writes through a symlink to outside', async () => {
  await apply([
    link('abs', canary),
    link('rel', '../canary'),
    link('up', '../../../../../../..'),
    link('chain', 'rel'),
    link('proc', '/proc/self/root'),
    { path: 'chain2/x', content: 'x' },
  ])
  mkdirSync(join(target, canary), { recursive: true })
  mkdirSync(at('canary'))
  for (const [index, path] of ['abs/file', 'rel/file', 'chain/file', `up${canary}/file`].entries()) {
    await apply([{ path, content: `inside ${index}` }])
  }
  assert.equal(readFileSync(at('canary/file'), 'utf8'), 'inside 2')
  assert.equal(readFileSync(join(target, canary, 'file'), 'utf8'), 'inside 3')
})

test('unpackLayer() replaces a symlink rather than writing to its target', async () => {
  await apply([link('f', join(canary, 'file')), { path: 'f', content: 'mine', mode: 0o4777, uid: 12 }])
  assert.equal(readFileSync(at('f'), 'utf8'), 'mine')
  await apply([link('d', canary), dir('d', { mode: 0o777, uid: 12 }), { path: 'd/.wh.file' }, { path: 'd/new' }])
  assert.equal(lstatSync(at('d')).isDirectory(), true)
})

test('unpackLayer() follows no directory that became a symlink', async () => {
  await apply([dir('d'), { path: 'd/a', content: 'a' }, link('d', canary), dir('d2'), { path: 'd2/b' }])
  await assert.rejects(apply([{ path: 'd/x', content: 'pwned' }]), { kind: 'invalid' })
})

test('unpackLayer() sets no times, modes or attributes through a symlink', async () => {
  const before = fstatat(AT_FDCWD, join(canary, 'file'))
  await apply([
    { ...link('s', join(canary, 'file')), mode: 0o777, uid: 7, mtime: { seconds: 1, nanoseconds: 0 } } as Member,
  ])
  assert.deepEqual(fstatat(AT_FDCWD, join(canary, 'file')), before)
})

test('unpackLayer() drops attributes that steer overlayfs', async () => {
  const xattrs = new Map([
    [opaqueXattr, Buffer.from('y')],
    ['trusted.overlay.redirect', Buffer.from('/etc')],
    ['user.kept', Buffer.from('1')],
  ])
  await apply([dir('d', { xattrs })])
  assert.equal(getXattr(at('d'), opaqueXattr), undefined)
  assert.equal(getXattr(at('d'), 'trusted.overlay.redirect'), undefined)
  assert.equal(getXattr(at('d'), 'user.kept')?.toString(), '1')
})

test('unpackLayer() stops at what a layer may take', async () => {
  const limits = { maxFileBytes: 1000, maxEntries: 5 }
  await assert.rejects(apply([{ path: 'f', content: 'x'.repeat(1001) }], { limits }), { message: /exceed 1000 bytes/ })
  const many = Array.from({ length: 6 }, (_, index) => ({ path: `f${index}` }))
  await assert.rejects(apply(many, { limits }), { message: /more than 5 entries/ })
  const bomb = gzipSync(await tar([{ path: 'f', content: '\0'.repeat(4 << 20) }]))
  await assert.rejects(apply(bomb, { limits: { ratioGraceBytes: 1000, maxRatio: 50 } }), { message: /ratio/ })
})

test('unpackLayer() refuses a sparse file of 8 EiB and one beyond the limit', async () => {
  const sparse = (size: string) => {
    const records = `${String(27 + size.length).padStart(2)} GNU.sparse.realsize=${size}\n`
    const body = Buffer.from(`22 GNU.sparse.major=1\n22 GNU.sparse.minor=0\n${records}`)
    const header = encodeHeader(tarEntry({ path: 'pax', sizeBytes: body.length }))
    header.write('x', 156)
    header.write('        ', 148)
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
    )
    const map = Buffer.alloc(512)
    map.write('0\n')
    return Buffer.concat([
      header,
      body,
      Buffer.alloc(512 - body.length),
      encodeHeader(tarEntry({ path: 'f', sizeBytes: 512 })),
      map,
      Buffer.alloc(1024),
    ])
  }
  await assert.rejects(apply(sparse('9223372036854775807')), { kind: 'invalid', message: /realsize|PAX/ })
  await assert.rejects(apply(sparse('1000000000000')), { kind: 'invalid', message: /exceed|PAX/ })
})

test('unpackLayer() names the entry of a truncated layer', async () => {
  const bytes = await tar([{ path: 'first' }, { path: 'second', content: 'x'.repeat(5000) }])
  await assert.rejects(apply(bytes.subarray(0, 3000)), {
    kind: 'invalid',
    message: /entry "second" at byte 3000: unexpected EOF/,
  })
  await assert.rejects(apply(gzipSync(bytes).subarray(0, 60)), { kind: 'invalid', message: /gzip stream/ })
  await assert.rejects(apply(Buffer.from('this is no archive'.repeat(100))), {
    kind: 'invalid',
    message: /archive: at byte 0/,
  })
})

test('namesIn() finds nothing in a directory that was removed', () => {
  mkdirSync(join(root, 'gone'))
  const fd = openSync(join(root, 'gone'), constants.O_DIRECTORY)
  rmSync(join(root, 'gone'), { recursive: true })
  assert.deepEqual(namesIn(fd), [])
  closeSync(fd)
})

test('removeTree() removes trees deeper than paths can name', async () => {
  let fd = openSync(target, constants.O_DIRECTORY)
  for (let level = 0; level < 600; level++) {
    mkdirat(fd, '0123456789', 0o755)
    const child = openDirectory(fd, '0123456789')
    closeSync(fd)
    fd = child
  }
  closeSync(fd)
  symlinkSync(canary, at('link'))
  await worker.run('remove', { paths: [target] })
  assert.equal(existsSync(target), false)
})

// -- round trips

function makeTree(): string {
  const tree = join(root, 'tree')
  mkdirSync(join(tree, 'sub/deep'), { recursive: true })
  writeFileSync(join(tree, 'sub/file'), 'content', { mode: 0o640 })
  linkSync(join(tree, 'sub/file'), join(tree, 'hard'))
  symlinkSync('../../outside', join(tree, 'sub/link'))
  mknodat(AT_FDCWD, join(tree, 'fifo'), 0o010644)
  mknodat(AT_FDCWD, join(tree, 'dev'), 0o020600, { major: 5, minor: 1 })
  setXattr(
    join(tree, 'sub/file'),
    'security.capability',
    Buffer.from('0100000200200000000000000000000000000000', 'hex'),
  )
  setXattr(join(tree, 'sub'), 'user.note', Buffer.from('a\0b\n'))
  writeFileSync(join(tree, 'l'.repeat(200)), '')
  writeFileSync(join(tree, 'ünï'), 'x'.repeat(1_000_000))
  return tree
}

const listing = (path: string): string =>
  execFileSync(
    'sh',
    [
      '-c',
      "find . -mindepth 1 -printf '%p %y %m %U %G %s %l %T@ %n\\n' | sed -E 's/^([^ ]* d [^ ]* [^ ]* [^ ]*) [0-9]+/\\1/' | sort; getfattr -Rdm- -P . 2>/dev/null || true",
    ],
    { cwd: path },
  ).toString()

test('unpackLayer() restores what GNU tar packed', async () => {
  const tree = makeTree()
  await apply(
    execFileSync('tar', ['-c', '--format=posix', '--xattrs', '--xattrs-include=*', '-C', tree, '.'], {
      maxBuffer: 1 << 26,
    }),
  )
  assert.equal(listing(target), listing(tree))
  assert.ok(getXattr(at('sub/file'), 'security.capability'))
  assert.deepEqual(getXattr(at('sub'), 'user.note'), Buffer.from('a\0b\n'))
})

test('packTree() packs what GNU tar restores', async () => {
  const tree = makeTree()
  execFileSync('find', [tree, '-exec', 'touch', '-h', '-d', '@1600000000', '{}', '+'])
  const packed = Buffer.concat(await Array.fromAsync(worker.stream('export', { path: tree }) as AsyncIterable<Buffer>))
  execFileSync('tar', ['-x', '--xattrs', '--xattrs-include=*', '-C', target], { input: packed })
  assert.equal(listing(target), listing(tree))
  assert.ok(getXattr(at('sub/file'), 'security.capability'))
  const again = Buffer.concat(await Array.fromAsync(worker.stream('export', { path: tree }) as AsyncIterable<Buffer>))
  assert.ok(packed.equals(again))
})

test('packTree() leaves out sockets', async () => {
  mknodat(AT_FDCWD, at('socket'), 0o140755)
  writeFileSync(at('file'), '')
  const packed = Buffer.concat(
    await Array.fromAsync(worker.stream('export', { path: target }) as AsyncIterable<Buffer>),
  )
  assert.equal(execFileSync('tar', ['-t'], { input: packed }).toString(), 'file\n')
})

test('unpackLayer() and packTree() carry 10,000 files', async () => {
  const members = Array.from({ length: 10_000 }, (_, index) => ({
    path: `d${index % 50}/f${index}`,
    content: `${index}`,
  }))
  const { sizeBytes } = await apply(members)
  assert.equal(
    sizeBytes,
    members.reduce((sum, { content }) => sum + content.length, 0),
  )
  let bytes = 0
  for await (const chunk of worker.stream('export', { path: target })) bytes += (chunk as Buffer).length
  assert.equal(bytes, 10_000 * 1024 + 50 * 512 + 1024)
})

test('LayerWorker.stream() stops when its reader goes away', async () => {
  writeFileSync(at('large'), Buffer.alloc(64 << 20))
  for await (const _ of worker.stream('export', { path: target })) break
  assert.equal(await worker.run('usage', { path: target }), 64 << 20)
})

test('LayerWorker.stream() writes to a socket what it yields otherwise', async () => {
  writeFileSync(at('large'), randomBytes(3_000_000))
  const read = await Array.fromAsync(worker.stream('export', { path: target }) as AsyncIterable<Buffer>)
  using connection = await openConnection()
  const received = buffer(connection.client)
  const begin = () => Promise.resolve(void connection.peer.write('head\n'))
  const open = readdirSync('/proc/self/fd').length
  await worker.stream('export', { path: target }).writeTo({ fd: connection.fd, begin })
  assert.equal(readdirSync('/proc/self/fd').length, open)
  connection.peer.end()
  const chunks = read.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk.toString('latin1')}\r\n`)
  assert.ok((await received).toString('latin1') === `head\n${chunks.join('')}`)
})

test('LayerWorker.stream() writes nothing to a socket when it fails, and stops when it is destroyed', async () => {
  using connection = await openConnection()
  const { fd } = connection
  const open = readdirSync('/proc/self/fd').length
  const begin = () => assert.fail('there is nothing to begin with')
  await assert.rejects(worker.stream('export', { path: at('none') }).writeTo({ fd, begin }), { code: 'ENOENT' })
  writeFileSync(at('large'), Buffer.alloc(64 << 20))
  connection.client.pause()
  const stream = worker.stream('export', { path: target })
  const writing = stream.writeTo({ fd, begin: () => Promise.resolve() })
  await once(connection.client, 'readable')
  stream.destroy()
  await assert.rejects(writing, { code: 'ERR_STREAM_PREMATURE_CLOSE' })
  while (readdirSync('/proc/self/fd').length > open) await worker.run('usage', { path: target })
})

test('LayerWorker.run() stops when it is told to', async () => {
  const source = join(root, 'layer.tar')
  writeFileSync(source, await tar([{ path: 'large', content: 'x'.repeat(32 << 20) }]))
  const abort = new AbortController()
  const run = worker.run('unpack', { source, target, whiteouts: 'overlay' }, abort.signal)
  abort.abort(new Error('enough'))
  await assert.rejects(run, { message: 'enough' })
})
