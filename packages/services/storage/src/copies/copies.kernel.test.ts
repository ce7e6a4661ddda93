import { readTar, type TarSource, tarEntry, writeTar } from '@berth/archive'
import { silentLogger } from '@berth/base'
import { type Database, openDatabase } from '@berth/database'
import { isMountPoint, mount, setXattr, unmount } from '@berth/linux'
import { mountPoints, mountsSince } from '@berth/testing'
import assert from 'node:assert/strict'
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { createGzip, createZstdCompress } from 'node:zlib'
import { openSnapshots, type OwnedSnapshots } from '../snapshots/open-snapshots.ts'
import type { ContainerTree, ExtractOptions, OpenFiles } from './copies.ts'

// One contract for every driver.

const drivers = ['overlay2', 'vfs'] as const
for (const driver of drivers) describe(driver, () => testCopies(driver))

const file = (path: string, content = path, fields: object = {}): TarSource => ({
  entry: tarEntry({ path, sizeBytes: content.length, mtime: { seconds: 1e9, nanoseconds: 0 }, ...fields }),
  content: Buffer.from(content),
})
const directory = (path: string, mode = 0o750): TarSource => ({ entry: tarEntry({ path, type: 'directory', mode }) })
const link = (path: string, linkPath: string): TarSource => ({ entry: tarEntry({ path, type: 'symlink', linkPath }) })
const hardLink = (path: string, linkPath: string, fields: object = {}): TarSource => ({
  entry: tarEntry({ path, type: 'hardlink', linkPath, ...fields }),
})

async function namesOf(archive: Readable): Promise<string[]> {
  const names: string[] = []
  for await (const { entry } of readTar(archive)) {
    names.push(entry.type === 'hardlink' || entry.type === 'symlink' ? `${entry.path}>${entry.linkPath}` : entry.path)
  }
  return names
}

function testCopies(driver: 'overlay2' | 'vfs'): void {
  let root: string
  let database: Database
  let snapshots: OwnedSnapshots
  let mountsBefore: readonly string[]
  let merged: string

  beforeEach(async () => {
    mountsBefore = mountPoints()
    root = mkdtempSync(join(tmpdir(), 'berth-copies-'))
    mount({ source: 'copies', target: root, type: 'tmpfs' })
    for (const name of ['data', 'volume', 'outside']) mkdirSync(join(root, name))
    writeFileSync(join(root, 'outside/canary'), 'secret')
    database = openDatabase(':memory:')
    snapshots = openSnapshots({
      root: join(root, 'data'),
      database,
      logger: silentLogger,
      driver,
      worker: { threads: 1 },
    })
    await snapshots.prepare('c', undefined)
    merged = snapshots.mount('c')
  })

  afterEach(async () => {
    await snapshots.remove('c')
    await snapshots[Symbol.asyncDispose]()
    database[Symbol.dispose]()
    assert.equal(readFileSync(join(root, 'outside/canary'), 'utf8'), 'secret')
    assert.deepEqual(readdirSync(join(root, 'outside')), ['canary'])
    unmount(root)
    rmSync(root, { recursive: true })
    assert.deepEqual(mountsSince(mountsBefore), [])
  })

  const open = (fields: Partial<ContainerTree> = {}): OpenFiles =>
    snapshots.openFiles({ key: 'c', mounts: [], isRootReadOnly: false, ...fields })
  const volume = (fields: object = {}) => ({
    source: join(root, 'volume'),
    destination: '/data',
    readOnly: false,
    ...fields,
  })
  const extract = (
    path: string,
    members: TarSource[],
    options: Partial<ExtractOptions> & { tree?: Partial<ContainerTree> } = {},
  ): Promise<void> => {
    using files = open(options.tree)
    return files.extract(path, writeTar(members), { keepsKinds: false, ...options })
  }
  const inside = (path: string): string => join(merged, path)

  test('stat() tells size, Go’s mode bits and where links lead', async () => {
    mkdirSync(inside('d'))
    chmodSync(inside('d'), 0o1755)
    writeFileSync(inside('d/f'), 'four')
    chmodSync(inside('d/f'), 0o4640)
    utimesSync(inside('d/f'), 5, 1.5)
    symlinkSync('/d/', inside('l'))
    symlinkSync('../../l/f', inside('d/up'))
    symlinkSync('/gone/x', inside('broken'))
    using files = open()
    const status = await files.stat('/d/f')
    assert.deepEqual(status, {
      name: 'f',
      sizeBytes: 4,
      goMode: 2 ** 23 + 0o640,
      mtimeNs: 1_500_000_000n,
      linkTarget: '',
    })
    assert.equal((await files.stat('d'))?.goMode, 2 ** 31 + 2 ** 20 + 0o755)
    assert.equal((await files.stat('/l'))?.linkTarget, '/d')
    assert.equal((await files.stat('/l/'))?.goMode, 2 ** 31 + 2 ** 20 + 0o755)
    assert.equal((await files.stat('/d/up'))?.linkTarget, '/d/f')
    assert.equal((await files.stat('/broken'))?.linkTarget, '/gone/x')
    assert.deepEqual([await files.stat('/gone'), await files.stat('/broken/')], [undefined, undefined])
    await assert.rejects(files.stat('/d/f/'), { kind: 'invalid', message: 'lstat /d/f/: not a directory' })
    await assert.rejects(files.stat('/d\0'), { kind: 'invalid', message: /invalid argument/ })
  })

  test('pack() names entries after the path’s last name', async () => {
    mkdirSync(inside('d/e'), { recursive: true })
    writeFileSync(inside('d/f'), 'f')
    linkSync(inside('d/f'), inside('d/g'))
    symlinkSync('f', inside('d/l'))
    symlinkSync('d', inside('to-d'))
    using files = open()
    const below = ['e/', 'f', 'g>f', 'l>f']
    const named = (base: string) => [base, ...below.map((name) => base + name.replace('>f', `>${base}f`))]
    const links = (names: string[]) => names.map((name) => name.replace(/l>.*/, 'l>f'))
    assert.deepEqual(links(await namesOf(files.pack('/d'))), links(named('d/')))
    assert.deepEqual(links(await namesOf(files.pack('/d/.'))), links(named('./')))
    assert.deepEqual(links(await namesOf(files.pack('/to-d/'))), links(named('to-d/')))
    assert.deepEqual(await namesOf(files.pack('/to-d')), ['to-d>d'])
    assert.deepEqual(await namesOf(files.pack('/d/f')), ['f'])
    assert.ok((await namesOf(files.pack('/'))).includes('/d/f'))
    await assert.rejects(namesOf(files.pack('/gone')), { kind: 'notFound' })
  })

  test('pack() gives back content, owner, mode, time, holes and attributes', async () => {
    writeFileSync(inside('f'), 'content')
    setXattr(inside('f'), 'trusted.mine', Buffer.from('kept'))
    using files = open()
    for await (const { entry, content } of readTar(files.pack('/f'))) {
      const bytes = Buffer.concat(await Array.fromAsync(content()))
      assert.deepEqual([bytes.toString(), entry.xattrs?.get('trusted.mine')?.toString()], ['content', 'kept'])
    }
  })

  test('extract() makes files, directories, links and missing parents as the archive says', async () => {
    mkdirSync(inside('t'))
    const metadata = { uid: 12, gid: 34, mode: 0o4755 }
    await extract('/t', [
      directory('./', 0o711),
      file('f', 'new', metadata),
      directory('d/', 0o700),
      link('d/l', '../f'),
      hardLink('h', 'f', { ...metadata, mtime: { seconds: 1e9, nanoseconds: 0 } }),
      file('p/q/r'),
      file('.wh.f', 'a name'),
    ])
    const status = lstatSync(inside('t/f'))
    assert.deepEqual(
      [status.uid, status.gid, status.mode & 0o7777, status.mtimeMs, status.nlink],
      [12, 34, 0o4755, 1e12, 2],
    )
    assert.deepEqual([readlinkSync(inside('t/d/l')), readFileSync(inside('t/.wh.f'), 'utf8')], ['../f', 'a name'])
    assert.equal(lstatSync(inside('t/p')).mode & 0o777, 0o755)
    assert.equal(lstatSync(inside('t')).mode & 0o777, 0o755, 'the directory itself stays as it is')
  })

  test('extract() gives everything to one owner when told so', async () => {
    await extract('/', [file('f', 'x', { uid: 12, gid: 34 })], { owner: { uid: 7, gid: 8 } })
    assert.deepEqual([lstatSync(inside('f')).uid, lstatSync(inside('f')).gid], [7, 8])
  })

  test('extract() merges directories and replaces all else, unless kinds are to be kept', async () => {
    mkdirSync(inside('d/full'), { recursive: true })
    writeFileSync(inside('f'), 'old')
    const kept = { keepsKinds: true }
    await assert.rejects(extract('/', [file('d', 'x')], kept), {
      kind: 'conflict',
      message: 'cannot overwrite directory "d" with non-directory "/"',
    })
    await assert.rejects(extract('/', [directory('f/')], kept), {
      kind: 'conflict',
      message: 'cannot overwrite non-directory "f" with directory "/"',
    })
    await extract('/', [directory('d/', 0o711), file('d/new'), file('f', 'new')], kept)
    assert.deepEqual([readdirSync(inside('d')), readFileSync(inside('f'), 'utf8')], [['full', 'new'], 'new'])
    await extract('/', [file('d', 'x'), directory('f/')])
    assert.deepEqual([readFileSync(inside('d'), 'utf8'), readdirSync(inside('f'))], ['x', []])
  })

  for (const [name, compress] of Object.entries({ gzip: createGzip, zstd: createZstdCompress })) {
    test(`extract() reads ${name}`, async () => {
      using files = open()
      const archive = compress()
      for await (const chunk of writeTar([file('f', name)])) archive.write(chunk)
      archive.end()
      await files.extract('/', archive, { keepsKinds: false })
      assert.equal(readFileSync(inside('f'), 'utf8'), name)
    })
  }

  test('extract() says what is no directory, what is absent and what is no archive', async () => {
    writeFileSync(inside('f'), '')
    symlinkSync('/gone', inside('broken'))
    await assert.rejects(extract('/f', []), { kind: 'invalid', message: 'extraction point is not a directory' })
    await assert.rejects(extract('/gone', []), { kind: 'notFound' })
    await assert.rejects(extract('/broken', []), { kind: 'notFound' })
    using files = open()
    const garbage = (async function* () {
      yield Buffer.alloc(4096, 'garbage')
    })()
    await assert.rejects(files.extract('/', garbage, { keepsKinds: false }), { kind: 'invalid' })
    await files.extract('/', (async function* () {})(), { keepsKinds: false })
  })

  test('extract() never writes outside, whatever names and links say', async () => {
    const outside = join(root, 'outside')
    const up = '../'.repeat(20)
    for (const name of [`${up}canary`, `a/${up}${outside}/x`]) {
      await assert.rejects(extract('/', [file(name, 'x')]), { kind: 'invalid', message: /leads out of the archive/ })
    }
    await assert.rejects(extract('/', [hardLink('h', `${up}${outside}/canary`)]), { kind: 'invalid' })
    await extract('/', [link('l', outside), link('r', `${up}${outside.slice(1)}`), file(`${outside}/canary`, 'inside')])
    for (const name of ['l', 'r']) {
      await extract('/', [file(`${name}/canary`, 'inside')])
      using files = open()
      assert.equal((await files.stat(`/${name}/canary`))?.sizeBytes, 6)
    }
    using files = open()
    assert.equal(await files.stat(`/${up}${outside}/other`), undefined)
  })

  test('volumes and binds are part of the tree, nested ones and files too', async () => {
    mkdirSync(join(root, 'volume/sub'))
    writeFileSync(join(root, 'volume/in-volume'), 'v')
    mkdirSync(join(root, 'nested'))
    writeFileSync(join(root, 'single'), 'one file')
    const tree = {
      mounts: [
        { source: join(root, 'nested'), destination: '/data/sub', readOnly: false },
        volume(),
        { source: join(root, 'single'), destination: '/etc/single', readOnly: false },
      ],
    }
    using files = open(tree)
    assert.deepEqual(await namesOf(files.pack('/data')), ['data/', 'data/in-volume', 'data/sub/'])
    assert.deepEqual(await namesOf(files.pack('/etc/single')), ['single'])
    await extract('/data', [file('new'), file('sub/deep')], { tree })
    assert.deepEqual(readdirSync(join(root, 'volume')), ['in-volume', 'new', 'sub'])
    assert.deepEqual(readdirSync(join(root, 'nested')), ['deep'])
    assert.deepEqual(readdirSync(inside('data')), [], 'the mount point is made, and empty outside of the view')
  })

  test('a link in the container leads a volume nowhere but into the container', async () => {
    symlinkSync(join(root, 'outside'), inside('data'))
    mkdirSync(inside(join(root, 'outside')), { recursive: true })
    writeFileSync(join(root, 'volume/f'), '')
    using files = open({ mounts: [volume()] })
    assert.deepEqual(await namesOf(files.pack('/data/')), ['data/', 'data/f'])
    assert.equal(isMountPoint(join(root, 'outside')), false)
  })

  test('what is read-only is refused, in Docker’s words', async () => {
    mkdirSync(inside('tmp'))
    await assert.rejects(extract('/tmp', [file('f')], { tree: { isRootReadOnly: true } }), {
      kind: 'invalid',
      message: 'container rootfs is marked read-only',
    })
    const mounts = [volume({ readOnly: true })]
    await assert.rejects(extract('/data', [file('f')], { tree: { mounts } }), {
      kind: 'invalid',
      message: 'mounted volume is marked read-only',
    })
    await assert.rejects(extract('/', [file('data/f')], { tree: { mounts } }), { message: /read-only file system/ })
    await extract('/data', [file('f')], { tree: { isRootReadOnly: true, mounts: [volume()] } })
    assert.deepEqual(readdirSync(join(root, 'volume')), ['f'])
  })

  test('a mount point is neither replaced nor removed with what holds it', async () => {
    mkdirSync(inside('a/b'), { recursive: true })
    const tree = { mounts: [volume({ destination: '/a/b' })] }
    writeFileSync(join(root, 'volume/f'), '')
    for (const name of ['a/b', 'a']) {
      await assert.rejects(extract('/', [file(name, 'x')], { tree }), {
        kind: 'conflict',
        message: /is a mount point: device or resource busy/,
      })
    }
    assert.deepEqual(readdirSync(join(root, 'volume')), ['f'])
  })

  test('a device that the tree holds comes as a device and is not opened', async () => {
    await extract('/', [{ entry: tarEntry({ path: 'null', type: 'character', deviceMajor: 1, deviceMinor: 3 }) }])
    assert.ok(lstatSync(inside('null')).isCharacterDevice())
    using files = open()
    for await (const { entry } of readTar(files.pack('/null'))) {
      assert.deepEqual([entry.type, entry.deviceMajor, entry.deviceMinor], ['character', 1, 3])
    }
  })

  test('an error of the source stops the work and is told', async () => {
    using files = open()
    const source = (async function* () {
      yield* writeTar([file('f', 'x'.repeat(1000))])
      throw new Error('the client is gone')
    })()
    await assert.rejects(files.extract('/', source, { keepsKinds: false }), { message: 'the client is gone' })
  })

  test('a failure ends the work though its source says nothing more', { timeout: 10_000 }, async () => {
    using files = open()
    const source = new PassThrough()
    source.write(Buffer.alloc(512 << 10, 'garbage'))
    await assert.rejects(files.extract('/', source, { keepsKinds: false }), { kind: 'invalid' })
    source.destroy()
  })

  test('10,000 files go in and come out', async () => {
    const members = Array.from({ length: 10_000 }, (_, i) => file(`tree/${i % 100}/${i}`, String(i)))
    await extract('/', members)
    using files = open()
    assert.equal((await namesOf(files.pack('/tree'))).length, 10_101)
  })

  describe('mounts for as long as somebody copies', () => {
    const isMounted = () => snapshots.isMounted('c')

    test('a snapshot that nobody mounted is mounted for the copy alone', async () => {
      await snapshots.unmount('c')
      const files = open()
      assert.equal(isMounted(), true)
      const stream = files.pack('/')
      files[Symbol.dispose]()
      await namesOf(stream)
      await snapshots.emptyTrash()
      assert.equal(isMounted(), false)
    })

    test('the owner’s mount stays, and one that the owner gives up stays until the copy is done', async () => {
      const files = open()
      await snapshots.unmount('c')
      assert.equal(isMounted(), true)
      const again = snapshots.mount('c')
      assert.equal(again, merged)
      files[Symbol.dispose]()
      await snapshots.emptyTrash()
      assert.equal(isMounted(), true)
    })

    test('a removal does not wait for a reader', async () => {
      writeFileSync(inside('f'), 'x'.repeat(100_000))
      const files = open()
      const stream = files.pack('/f')
      await snapshots.remove('c')
      assert.equal(existsSync(merged), false)
      stream.destroy()
      files[Symbol.dispose]()
      await snapshots.prepare('c', undefined)
    })
  })
}
