import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TarEntry } from './entry.ts'
import { readTar } from './read-tar.ts'
import { encodeHeader } from './tar-format.ts'
import { TarPacker } from './tar-packer.ts'
import { tarEntry, type TarSource, writeTar } from './write-tar.ts'

async function pack(members: TarSource[], nanoseconds = false): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(writeTar(members, { nanoseconds, chunkBytes: 4096 })))
}

async function unpack(archive: Buffer): Promise<{ entry: TarEntry; content: string }[]> {
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700)
  }
  const members = []
  for await (const { entry, content } of readTar(chunks())) {
    const read = Buffer.concat(await Array.fromAsync(content())).toString()
    members.push({ entry: JSON.parse(JSON.stringify(entry)) as TarEntry, content: read })
  }
  return members
}

const samples: TarEntry[] = [
  tarEntry({ path: 'plain', mode: 0o4755, uid: 1000, gid: 100, mtime: { seconds: 1_700_000_000, nanoseconds: 0 } }),
  tarEntry({ path: 'dir/', type: 'directory', mode: 0o1777 }),
  tarEntry({ path: 'link', type: 'symlink', linkPath: '../anywhere', mode: 0o777 }),
  tarEntry({ path: 'hard', type: 'hardlink', linkPath: 'plain' }),
  tarEntry({ path: 'sda', type: 'block', deviceMajor: 8, deviceMinor: 300_000 }),
  tarEntry({ path: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 }),
  tarEntry({ path: 'fifo', type: 'fifo' }),
  tarEntry({ path: `${'d/'.repeat(70)}${'n'.repeat(90)}` }),
  tarEntry({ path: 'n'.repeat(200) }),
  tarEntry({ path: 'ünïcode' }),
  tarEntry({ path: 'latin1-\udce9' }),
  tarEntry({ path: 'far', type: 'symlink', linkPath: 't'.repeat(150) }),
  tarEntry({ path: 'uid', uid: 4_000_000_000, gid: 2 ** 21 }),
  tarEntry({ path: 'old', mtime: { seconds: -5, nanoseconds: 0 } }),
]

test('writeTar() writes what readTar() reads', async () => {
  const members = await unpack(await pack(samples.map((entry) => ({ entry }))))
  assert.deepEqual(
    members.map(({ entry }) => entry),
    JSON.parse(JSON.stringify(samples)),
  )
})

test('writeTar() keeps xattrs, and fractions of seconds when asked', async () => {
  const entry = tarEntry({
    path: 'f',
    mtime: { seconds: -2, nanoseconds: 250_000_000 },
    xattrs: new Map([['user.b', Buffer.from([0, 10, 61])]]),
  })
  for (const nanoseconds of [true, false]) {
    const source = (async function* () {
      yield* await Array.fromAsync(writeTar([{ entry }], { nanoseconds }))
    })()
    for await (const { entry: read } of readTar(source)) {
      assert.deepEqual(read.xattrs?.get('user.b'), Buffer.from([0, 10, 61]))
      assert.deepEqual(read.mtime, { seconds: -2, nanoseconds: nanoseconds ? 250_000_000 : 0 })
    }
  }
})

test('encodeHeader() uses PAX only for what ustar cannot say', () => {
  const sizes = samples.map((entry) => encodeHeader(entry).length)
  const plain = samples.filter((_, index) => sizes[index] === 512).map(({ path }) => path.slice(0, 5))
  assert.deepEqual(plain, ['plain', 'dir/', 'link', 'hard', 'sda', 'null', 'fifo', 'd/d/d'])
  const large = encodeHeader(tarEntry({ path: 'large', sizeBytes: 2 ** 33 + 1 }))
  assert.ok(large.includes('19 size=8589934593\n'))
})

test('writeTar() carries content across chunks and pads it', async () => {
  const content = Buffer.alloc(10_000, 'abc')
  const archive = await pack([
    { entry: tarEntry({ path: 'f', sizeBytes: content.length }), content },
    { entry: tarEntry({ path: 'g' }) },
  ])
  assert.equal(archive.length % 512, 0)
  assert.deepEqual(
    (await unpack(archive)).map((member) => member.content),
    [content.toString(), ''],
  )
})

test('TarPacker refuses content that is shorter or longer than announced', () => {
  const packer = new TarPacker()
  packer.header(tarEntry({ path: 'f', sizeBytes: 5 }))
  assert.throws(() => packer.content(Buffer.alloc(6)), /more bytes than announced/)
  packer.content(Buffer.alloc(4))
  assert.throws(() => packer.finish(), /f lacks 1 bytes/)
})

test('TarPacker.fill() and zeros() write into the chunks', async () => {
  const packer = new TarPacker({ chunkBytes: 1000 })
  packer.header(tarEntry({ path: 'f', sizeBytes: 3000 }))
  while (packer.contentLeft > 1000) packer.fill((target) => target.fill('x').length)
  packer.zeros(packer.contentLeft)
  packer.finish()
  const [member] = await unpack(Buffer.concat(packer.take()))
  assert.equal(member?.content.length, 3000)
})

test('readTar() lets content go unread', async () => {
  const archive = await pack(
    ['a', 'b'].map((path) => ({ entry: tarEntry({ path, sizeBytes: 5000 }), content: Buffer.alloc(5000) })),
  )
  const seen: string[] = []
  for await (const { entry, content } of readTar(
    (async function* () {
      yield archive
    })(),
  )) {
    seen.push(entry.path)
    for await (const _ of content()) break
  }
  assert.deepEqual(seen, ['a', 'b'])
})

for (const format of ['v7', 'oldgnu', 'gnu', 'ustar', 'posix']) {
  test(`readTar() reads GNU tar's ${format} format`, async (t) => {
    const directory = mkdtempSync(join(tmpdir(), 'berth-tar-'))
    t.after(() => rmSync(directory, { recursive: true }))
    makeTree(directory, format)
    const sparse = format === 'v7' || format === 'ustar' ? [] : ['-S']
    const archive = execFileSync('tar', ['-c', `--format=${format}`, ...sparse, '--sort=name', '-C', directory, '.'])
    const members = await unpack(archive)
    const holes = members.find(({ entry }) => entry.path === './holes')
    assert.deepEqual([holes?.entry.sizeBytes, holes?.content.length], [1 << 18, 1 << 18])
    assert.equal(holes?.entry.extents !== undefined, sparse.length > 0)
    assert.equal(members.find(({ entry }) => entry.path === './small')?.content, 'small')
    assert.equal(members.find(({ entry }) => entry.path === './link')?.entry.linkPath, 'small')
    if (format !== 'v7' && format !== 'ustar') assert.ok(members.some(({ entry }) => entry.path === `./${longName}`))
  })
}

const longName = 'a-long-name'.repeat(20)

function makeTree(directory: string, format: string): void {
  writeFileSync(join(directory, 'small'), 'small')
  writeFileSync(join(directory, 'holes'), 'data')
  truncateSync(join(directory, 'holes'), 1 << 18)
  symlinkSync('small', join(directory, 'link'))
  mkdirSync(join(directory, 'sub'))
  if (format !== 'v7' && format !== 'ustar') writeFileSync(join(directory, longName), '')
  utimesSync(join(directory, 'small'), 1_600_000_000.25, 1_600_000_000.25)
}

test('writeTar() is read by GNU tar', async () => {
  const kept = samples.filter(({ type }) => type !== 'hardlink')
  const listing = execFileSync('tar', ['-tvf', '-', '--numeric-owner', '--quoting-style=literal'], {
    input: await pack(kept.map((entry) => ({ entry }))),
  }).toString('latin1')
  assert.equal(listing.trim().split('\n').length, kept.length)
  assert.match(listing, /^-rwsr-xr-x 1000\/100 /m)
  assert.match(listing, /^brw-r--r-- 0\/0 +8,300000 .*sda$/m)
  assert.match(listing, /4000000000\/2097152 .*uid$/m)
})
