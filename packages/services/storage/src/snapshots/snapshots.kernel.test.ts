import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, beforeEach, test } from 'node:test'
import { type TarSource, tarEntry, writeTar } from '@berth/archive'
import { silentLogger } from '@berth/base'
import { type Database, openDatabase } from '@berth/database'
import { mount, unmount } from '@berth/linux'
import { type Digest, sha256 } from '@berth/oci'
import { mountPoints, mountsSince } from '@berth/testing'
import type { LayerSource } from '../snapshots.ts'
import { openSnapshots, type OwnedSnapshots } from './open-snapshots.ts'

// One contract for every driver.

let root: string
let database: Database
let snapshots: OwnedSnapshots
let mountsBefore: readonly string[]

const open = (driver: 'overlay2' | 'vfs'): OwnedSnapshots =>
  openSnapshots({ root, database, logger: silentLogger, driver, worker: { threads: 1 } })

beforeEach(() => {
  mountsBefore = mountPoints()
  root = mkdtempSync(join(tmpdir(), 'berth-snapshots-'))
  mount({ source: 'snapshots', target: root, type: 'tmpfs' })
  database = openDatabase(':memory:')
})

afterEach(async () => {
  await snapshots[Symbol.asyncDispose]()
  database[Symbol.dispose]()
  unmount(root)
  rmSync(root, { recursive: true })
  assert.deepEqual(mountsSince(mountsBefore), [])
})

let layers = 0

async function layer(...members: (string | TarSource)[]): Promise<LayerSource & { readonly diffId: Digest }> {
  const sources = members.map((member) => (typeof member === 'string' ? file(member) : member))
  const bytes = Buffer.concat(await Array.fromAsync(writeTar(sources)))
  const path = join(root, `layer-${layers++}.tar`)
  writeFileSync(path, bytes)
  return { path, diffId: sha256(bytes) }
}

const mtime = { seconds: 1_600_000_000, nanoseconds: 0 }
const file = (path: string, content = path): TarSource => ({
  entry: tarEntry({ path, sizeBytes: content.length, mtime }),
  content: Buffer.from(content),
})
const directory = (path: string, mode = 0o755): TarSource => ({
  entry: tarEntry({ path: `${path}/`, type: 'directory', mode, mtime }),
})

const visible = (path: string): string[] =>
  execFileSync('find', [path, '-mindepth', '1', '-printf', '%P\n'])
    .toString()
    .split('\n')
    .filter((name) => name && !/^(\.dockerenv|dev|proc|sys|etc)(\/|$)/.test(name))
    .toSorted()

const drain = async (source: AsyncIterable<Buffer>): Promise<Buffer> => Buffer.concat(await Array.fromAsync(source))

test('mount() of a bare snapshot has an image’s files alone, also where those are none', async () => {
  snapshots = open('overlay2')
  const base = await snapshots.unpack(undefined, await layer(directory('a'), 'a/x'))
  await snapshots.prepare('bare', base.chainId)
  await snapshots.prepare('empty', undefined)
  const keys = ['bare', 'empty']
  const files = keys.map((key) => readdirSync(snapshots.mount(key, { volatile: true, bare: true })))
  assert.deepEqual(files, [['a'], []])
  for (const key of keys) await snapshots.remove(key)
})

for (const driver of ['overlay2', 'vfs'] as const) {
  const contract = (name: string, work: () => Promise<void>) =>
    test(`${driver}: ${name}`, async () => {
      snapshots = open(driver)
      await work()
    })

  contract('unpack() stacks layers, whose whiteouts hide what is beneath', async () => {
    const base = await snapshots.unpack(
      undefined,
      await layer(directory('a'), 'a/x', 'a/y', directory('b'), 'b/z', 'c'),
    )
    const top = await snapshots.unpack(
      base.chainId,
      await layer(
        directory('a'),
        file('a/.wh.x', ''),
        'a/new',
        directory('b'),
        'b/own',
        file('b/.wh..wh..opq', ''),
        file('.wh.c', ''),
      ),
    )
    assert.equal(base.sizeBytes, 'a/xa/yb/zc'.length)
    assert.equal(snapshots.has(top.chainId), true)
    await snapshots.prepare('k', top.chainId)
    assert.deepEqual(visible(snapshots.mount('k')), ['a', 'a/new', 'a/y', 'b', 'b/own'])
    await snapshots.remove('k')
  })

  contract('commit() makes a committed snapshot of what was written, once', async () => {
    const base = await snapshots.unpack(undefined, await layer(directory('a'), 'a/x', 'c'))
    const write = async (key: string): Promise<Digest> => {
      await snapshots.prepare(key, base.chainId)
      const merged = snapshots.mount(key, { volatile: true })
      writeFileSync(join(merged, 'a/y'), 'yy')
      utimesSync(join(merged, 'a/y'), 1, 1)
      utimesSync(join(merged, 'a'), 1, 1)
      rmSync(join(merged, 'c'))
      utimesSync(merged, 1, 1)
      return sha256(await drain(snapshots.diff(key)))
    }
    const first = await snapshots.commit('one', await write('one'))
    const second = await snapshots.commit('two', await write('two'))
    assert.deepEqual(second.chainId, first.chainId)
    // A whole copy has a link of the init layer's too.
    const sizeBytes = driver === 'vfs' ? 2 - 'c'.length + '/proc/mounts'.length : 2
    assert.deepEqual([first.sizeBytes, snapshots.listActive(), snapshots.listCommitted().length], [sizeBytes, [], 2])
    await snapshots.prepare('k', first.chainId)
    assert.deepEqual(visible(snapshots.mount('k')), ['a', 'a/x', 'a/y'])
    await snapshots.remove('k')
  })

  contract('unpack() keeps what a layer itself has beside a whiteout of the same name, in either order', async () => {
    const base = await snapshots.unpack(undefined, await layer(directory('a'), 'a/old', directory('b'), 'b/old'))
    const top = await snapshots.unpack(
      base.chainId,
      await layer(file('.wh.a', ''), directory('a'), 'a/new', directory('b'), 'b/new', file('.wh.b', '')),
    )
    await snapshots.prepare('k', top.chainId)
    assert.deepEqual(visible(snapshots.mount('k')), ['a', 'a/new', 'b', 'b/new'])
    await snapshots.remove('k')
  })

  contract('mount() shows a writable tree that leaves its parent alone', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer(directory('a'), 'a/x'))
    await snapshots.prepare('one', chainId)
    await snapshots.prepare('two', chainId)
    const [one, two] = [snapshots.mount('one'), snapshots.mount('two')]
    assert.equal(snapshots.mount('one'), one)
    writeFileSync(join(one, 'a/x'), 'changed')
    assert.equal(readFileSync(join(two, 'a/x'), 'utf8'), 'a/x')
    assert.equal(snapshots.isMounted('one'), true)
    await snapshots.unmount('one')
    assert.equal(snapshots.isMounted('one'), false)
    assert.equal(readFileSync(join(snapshots.mount('one', { volatile: true }), 'a/x'), 'utf8'), 'changed')
    await snapshots.unmount('one')
    assert.equal(readFileSync(join(snapshots.mount('one'), 'a/x'), 'utf8'), 'changed')
    await snapshots.remove('one')
    await snapshots.remove('two')
  })

  contract('changes() and diff() tell what the writable layer changed', async () => {
    const base = await layer(
      directory('bin'),
      'bin/sh',
      'bin/mv',
      directory('opt'),
      directory('opt/keep'),
      'opt/keep/z',
      'same',
      directory('usr'),
    )
    const { chainId } = await snapshots.unpack(undefined, base)
    await snapshots.prepare('k', chainId)
    const merged = snapshots.mount('k')
    writeFileSync(join(merged, 'bin/sh'), 'other')
    rmSync(join(merged, 'bin/mv'))
    rmSync(join(merged, 'opt/keep'), { recursive: true })
    mkdirSync(join(merged, 'opt/keep'))
    writeFileSync(join(merged, 'opt/keep/q'), 'q')
    mkdirSync(join(merged, 'new/deep'), { recursive: true })
    symlinkSync('/etc', join(merged, 'new/link'))
    chmodSync(join(merged, 'usr'), 0o700)
    const expected = [
      'C /bin',
      'D /bin/mv',
      'C /bin/sh',
      'A /new',
      'A /new/deep',
      'A /new/link',
      'C /opt',
      'C /opt/keep',
      'A /opt/keep/q',
      'D /opt/keep/z',
      'C /usr',
    ]
    const letter = { added: 'A', modified: 'C', deleted: 'D' }
    assert.deepEqual(
      (await snapshots.changes('k')).map(({ kind, path }) => `${letter[kind]} ${path}`),
      expected,
    )

    const before = visible(merged)
    const path = join(root, 'diff.tar')
    writeFileSync(path, await drain(snapshots.diff('k')))
    const again = await snapshots.unpack(chainId, { path })
    await snapshots.prepare('again', again.chainId)
    assert.deepEqual(visible(snapshots.mount('again')), before)
    assert.equal(readFileSync(join(snapshots.mount('again'), 'bin/sh'), 'utf8'), 'other')
    assert.equal(lstatSync(join(snapshots.mount('again'), 'usr')).mode & 0o777, 0o700)
    await snapshots.remove('again')
    await snapshots.remove('k')
  })

  contract('diff() of an untouched snapshot is an empty archive, and changes() none', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer('a'))
    await snapshots.prepare('k', chainId)
    assert.deepEqual(await snapshots.changes('k'), [])
    assert.deepEqual(await drain(snapshots.diff('k')), Buffer.alloc(1024))
    await snapshots.remove('k')
  })

  contract('exportTree() gives the whole tree, mounted or not', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer(directory('a'), 'a/x'))
    await snapshots.prepare('k', chainId)
    const stopped = await drain(snapshots.exportTree('k'))
    snapshots.mount('k')
    assert.deepEqual(await drain(snapshots.exportTree('k')), stopped)
    const names = execFileSync('tar', ['-t'], { input: stopped }).toString().split('\n')
    assert.ok(names.includes('a/x') && names.includes('.dockerenv') && names.includes('proc/'))
    await snapshots.remove('k')
  })

  contract('usage() counts the writable layer', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer('12345'))
    assert.equal(await snapshots.usage(chainId), 5)
    await snapshots.prepare('k', chainId)
    writeFileSync(join(snapshots.mount('k'), 'new'), 'x'.repeat(1000))
    assert.ok((await snapshots.usage('k')) >= 1000)
    await snapshots.remove('k')
  })

  contract('directories() of a committed snapshot have its layer’s files', async () => {
    const base = await snapshots.unpack(undefined, await layer('base'))
    const top = await snapshots.unpack(base.chainId, await layer('top'))
    const [below, above] = [base, top].map(({ chainId }) => snapshots.directories(chainId))
    const isOverlay = driver === 'overlay2'
    assert.deepEqual(visible(below!['UpperDir']!), ['base'])
    assert.deepEqual(visible(above!['UpperDir']!), isOverlay ? ['top'] : ['base', 'top'])
    assert.deepEqual([below!['LowerDir'], above!['LowerDir']], [undefined, isOverlay ? below!['UpperDir'] : undefined])
    assert.throws(() => snapshots.directories(`sha256:${'0'.repeat(64)}`), { kind: 'notFound' })
  })

  contract('usage() keeps the size of a layer at rest until somebody may write to it', async () => {
    await snapshots.prepare('k', undefined)
    const files = snapshots.directories('k')['UpperDir']!
    const ask = (isAtRest: boolean) => snapshots.usage('k', { isAtRest })
    // Nobody writes there past the engine: here that shows what is walked.
    const grow = (sizeBytes: number) => writeFileSync(join(files, 'f'), 'x'.repeat(sizeBytes))
    const empty = await ask(true)
    grow(10)
    assert.deepEqual([(await ask(true)) - empty, (await ask(false)) - empty], [0, 10])
    snapshots.mount('k')
    assert.equal((await ask(true)) - empty, 10)
    grow(20)
    assert.equal((await ask(true)) - empty, 20)
    await snapshots.unmount('k')
    grow(30)
    assert.equal((await ask(true)) - empty, 30)
    snapshots.hold('k')[Symbol.dispose]()
    grow(40)
    assert.equal((await ask(true)) - empty, 40)
    await snapshots.remove('k')
  })

  contract('remove() and removeCommitted() free what nothing stands on', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer('a'))
    const top = await snapshots.unpack(chainId, await layer('b'))
    await snapshots.prepare('k', top.chainId)
    await assert.rejects(snapshots.removeCommitted(chainId), { kind: 'conflict' })
    await assert.rejects(snapshots.removeCommitted(top.chainId), { kind: 'conflict' })
    snapshots.mount('k')
    await snapshots.remove('k')
    await snapshots.remove('k')
    await snapshots.removeCommitted(top.chainId)
    await snapshots.removeCommitted(chainId)
    await snapshots.emptyTrash()
    assert.deepEqual(readdirSync(join(root, 'snapshots')).toSorted(), ['init', 'tmp', 'trash'])
    assert.deepEqual(readdirSync(join(root, 'snapshots/trash')), [])
    assert.deepEqual([snapshots.listActive(), snapshots.listCommitted()], [[], []])
  })

  contract('prepare() without a parent is an empty root; an unknown parent and a used key are refused', async () => {
    await snapshots.prepare('k', undefined)
    assert.deepEqual(visible(snapshots.mount('k')), [])
    await assert.rejects(snapshots.prepare('k', undefined), { kind: 'conflict' })
    await assert.rejects(snapshots.prepare('l', sha256('nothing')), { kind: 'notFound' })
    assert.throws(() => snapshots.mount('l'), { kind: 'notFound' })
    await snapshots.remove('k')
  })

  contract('unpack() does the work for one chain id once', async () => {
    const source = await layer('a')
    const results = await Promise.all([1, 2, 3].map(() => snapshots.unpack(undefined, source)))
    assert.equal(new Set(results.map(({ chainId }) => chainId)).size, 1)
    assert.deepEqual(
      readdirSync(join(root, 'snapshots')).filter((name) => /^\d/.test(name)),
      ['1'],
    )
  })

  contract('unpack() takes the layers of an image side by side', async () => {
    const [a, b, c] = [await layer('a'), await layer('b'), await layer('c')]
    const first = snapshots.unpack(undefined, a)
    const second = snapshots.unpack(a.diffId, b)
    const ab = sha256(`${a.diffId} ${b.diffId}`)
    const third = await snapshots.unpack(ab, c)
    assert.deepEqual([(await first).chainId, (await second).chainId], [a.diffId, ab])
    await snapshots.prepare('k', third.chainId)
    assert.deepEqual(visible(snapshots.mount('k')), ['a', 'b', 'c'])
    await snapshots.remove('k')
  })

  contract('unpack() finds a layer whose file was moved meanwhile', async () => {
    const { path: movedTo, diffId } = await layer('a')
    const { chainId } = await snapshots.unpack(undefined, { path: `${movedTo}.partial`, movedTo, diffId })
    assert.equal(chainId, diffId)
    const gone = { path: `${movedTo}.partial`, movedTo: `${movedTo}.gone` }
    await assert.rejects(snapshots.unpack(chainId, gone), { code: 'ENOENT' })
  })

  contract('unpack() leaves nothing of a layer that is wrong', async () => {
    const source = await layer('a')
    await assert.rejects(snapshots.unpack(undefined, { ...source, diffId: sha256('other') }), {
      kind: 'invalid',
      message: /expected sha256/,
    })
    await assert.rejects(snapshots.unpack(sha256('no parent'), source), { kind: 'notFound' })
    await assert.rejects(snapshots.unpack(undefined, await layer('ok', '../out')), {
      kind: 'invalid',
      message: /\.\.\/out/,
    })
    await assert.rejects(snapshots.unpack(undefined, { path: join(root, 'missing.tar') }), { code: 'ENOENT' })
    await assert.rejects(snapshots.unpack(undefined, source, AbortSignal.abort(new Error('stop'))), { message: 'stop' })
    await snapshots.emptyTrash()
    assert.deepEqual(readdirSync(join(root, 'snapshots/tmp')), [])
    assert.deepEqual(snapshots.listCommitted(), [])
  })

  contract('openSnapshots() finds what an earlier process made', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer('a'))
    await snapshots.prepare('k', chainId)
    writeFileSync(join(snapshots.mount('k'), 'new'), 'x')
    await snapshots[Symbol.asyncDispose]()
    snapshots = open(driver)
    assert.equal(snapshots.isMounted('k'), driver === 'overlay2')
    assert.deepEqual(visible(snapshots.mount('k')), ['a', 'new'])
    await snapshots.remove('k')
  })

  contract('openSnapshots() sweeps what a crash left', async () => {
    const { chainId } = await snapshots.unpack(undefined, await layer('a'))
    await snapshots.prepare('gone', chainId)
    await snapshots.prepare('kept', chainId)
    await snapshots[Symbol.asyncDispose]()
    const own = join(root, 'snapshots')
    rmSync(join(own, '2'), { recursive: true })
    mkdirSync(join(own, '77/merged'), { recursive: true })
    mount({ source: 'stale', target: join(own, '77/merged'), type: 'tmpfs' })
    mkdirSync(join(own, 'tmp/unpack-1/fs'), { recursive: true })
    mkdirSync(join(own, 'tmp/export-1'), { recursive: true })
    mount({ source: 'stale', target: join(own, 'tmp/export-1'), type: 'tmpfs' })
    snapshots = open(driver)
    await snapshots.emptyTrash()
    assert.deepEqual(readdirSync(own).toSorted(), ['1', '3', 'init', 'tmp', 'trash'])
    assert.deepEqual(readdirSync(join(own, 'tmp')), [])
    assert.deepEqual(snapshots.listActive(), ['kept'])
  })

  contract('openSnapshots() drops layers that a power failure may have caught half written', async () => {
    const synced = await snapshots.unpack(undefined, await layer('a'))
    await snapshots.sync()
    const unsynced = await snapshots.unpack(synced.chainId, await layer('b'))
    await snapshots[Symbol.asyncDispose]()
    database.exec("UPDATE committed_snapshot SET unsynced_boot = 'earlier' WHERE unsynced_boot IS NOT NULL")
    snapshots = open(driver)
    assert.deepEqual([snapshots.has(synced.chainId), snapshots.has(unsynced.chainId)], [true, false])
  })
}

test('overlay2: mount() stacks 127 layers and refuses one more', async () => {
  snapshots = open('overlay2')
  let top: Digest | undefined
  for (let index = 0; index < 127; index++) top = (await snapshots.unpack(top, await layer(`file-${index}`))).chainId
  await snapshots.prepare('k', top)
  assert.equal(visible(snapshots.mount('k')).length, 127)
  const over = await snapshots.unpack(top, await layer('over'))
  await assert.rejects(snapshots.prepare('l', over.chainId), { kind: 'conflict', message: /127 layers/ })
  await snapshots.remove('k')
})

test('overlay2: emptyTrash() keeps nobody waiting who looks at files meanwhile', async () => {
  snapshots = open('overlay2')
  const { chainId } = await snapshots.unpack(undefined, await layer('a'))
  await snapshots.prepare('large', chainId)
  await snapshots.prepare('k', chainId)
  const full = snapshots.mount('large')
  for (let i = 0; i < 20_000; i++) writeFileSync(join(full, String(i)), '')
  await snapshots.remove('large')
  const order: string[] = []
  const emptied = snapshots.emptyTrash().then(() => order.push('deleted'))
  // The deletion is asked for first.
  await new Promise((resolve) => setImmediate(resolve))
  await snapshots.usage('k')
  order.push('looked at')
  await emptied
  assert.deepEqual(order, ['looked at', 'deleted'])
})

test('overlay2: unpack() fails cleanly when the disk is full, and works when there is room again', async () => {
  snapshots = open('overlay2')
  mount({ target: root, type: 'tmpfs', flags: 32, data: 'size=1m' })
  const large = 'x'.repeat(900_000)
  const source = await layer(file('a', large))
  await assert.rejects(snapshots.unpack(undefined, source), { message: /layer entry "a": .*no space left|ENOSPC/i })
  mount({ target: root, type: 'tmpfs', flags: 32, data: 'size=8m' })
  await snapshots.emptyTrash()
  const { chainId } = await snapshots.unpack(undefined, source)
  assert.equal(snapshots.has(chainId), true)
})

test('overlay2: unpack() keeps nothing when its row cannot be written', async () => {
  snapshots = open('overlay2')
  const source = await layer('a')
  database.exec("CREATE TRIGGER full BEFORE INSERT ON committed_snapshot BEGIN SELECT RAISE(ABORT, 'disk full'); END")
  await assert.rejects(snapshots.unpack(undefined, source), { message: /disk full/ })
  await snapshots.emptyTrash()
  assert.deepEqual(readdirSync(join(root, 'snapshots')).toSorted(), ['init', 'tmp', 'trash'])
  database.exec('DROP TRIGGER full')
  assert.equal(snapshots.has((await snapshots.unpack(undefined, source)).chainId), true)
})

test('overlay2: the root of a tree takes after the image', async () => {
  snapshots = open('overlay2')
  const { chainId } = await snapshots.unpack(undefined, await layer(directory('.', 0o750), 'a'))
  const top = await snapshots.unpack(chainId, await layer('b'))
  await snapshots.prepare('k', top.chainId)
  assert.equal(lstatSync(snapshots.mount('k')).mode & 0o7777, 0o750)
  await snapshots.remove('k')
})

test('vfs: copying an image for a container leaves the event loop free', async () => {
  snapshots = open('vfs')
  const { chainId } = await snapshots.unpack(undefined, await layer(...Array.from({ length: 3000 }, (_, i) => `f${i}`)))
  let turns = 0
  const turning = setInterval(() => turns++)
  await snapshots.prepare('k', chainId)
  clearInterval(turning)
  assert.ok(turns > 10, `${turns} turns`)
  assert.equal(visible(snapshots.mount('k')).length, 3000)
  await snapshots.remove('k')
})

test('vfs: a copy that the disk has no room for fails and leaves nothing', async () => {
  snapshots = open('vfs')
  const { chainId } = await snapshots.unpack(undefined, await layer(file('large', 'x'.repeat(3 << 20))))
  execFileSync('mount', ['-o', 'remount,size=8m', root])
  await assert.rejects(snapshots.prepare('k', chainId), /ENOSPC/)
  assert.deepEqual(snapshots.listActive(), [])
  await snapshots.emptyTrash()
  execFileSync('mount', ['-o', 'remount,size=80m', root])
  await snapshots.prepare('k', chainId)
  await snapshots.remove('k')
})

// A process that dies between two steps leaves the database and the disk as they are at that point.
for (const point of ['unpack: unpacked', 'unpack: renamed', 'prepare: made', 'remove: renamed']) {
  test(`overlay2: kill -9 at "${point}" leaves no half snapshot`, async () => {
    const source = await layer('a')
    const script = join(import.meta.dirname, 'crash-at.ts')
    const path = join(root, 'state.db')
    assert.throws(() => execFileSync(process.execPath, [script, root, path, source.path, point]), { signal: 'SIGKILL' })
    database[Symbol.dispose]()
    database = openDatabase(path)
    snapshots = open('overlay2')
    await snapshots.emptyTrash()
    const committed = snapshots.listCommitted()
    const directories = readdirSync(join(root, 'snapshots'))
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
    assert.equal(directories.length, committed.length + snapshots.listActive().length)
    assert.deepEqual(readdirSync(join(root, 'snapshots/tmp')), [])
    const { chainId } = await snapshots.unpack(undefined, source)
    if (!snapshots.listActive().includes('k')) await snapshots.prepare('k', chainId)
    assert.deepEqual(visible(snapshots.mount('k')), ['a'])
    await snapshots.remove('k')
  })
}

after(() => assert.equal(existsSync(root), false))
