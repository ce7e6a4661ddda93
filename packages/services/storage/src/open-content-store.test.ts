import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { silentLogger } from '@berth/base'
import { type Digest, hexOf, sha256 } from '@berth/oci'
import { openContentStore } from './open-content-store.ts'

/** Memory where there is some: a test need not wait for a disk to sync. */
const temporary = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

async function setUp(t: TestContext) {
  const root = mkdtempSync(join(temporary, 'berth-content-'))
  t.after(() => rmSync(root, { recursive: true }))
  const store = await openContentStore({ root, logger: silentLogger })
  return { root, store, left: () => readdirSync(join(root, 'content', 'ingest')) }
}

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text)
}

async function* broken() {
  yield Buffer.from('x')
  throw new Error('connection lost')
}

const hello = sha256('hello world')

test('ingest() stores a blob under its digest', async (t) => {
  const { root, store, left } = await setUp(t)
  const blob = await store.ingest(chunks('hello ', 'world'), { expected: hello, sizeBytes: 11 })
  assert.deepEqual(blob, { digest: hello, sizeBytes: 11, isNew: true })
  assert.deepEqual(store.info(hello), { digest: hello, sizeBytes: 11 })
  assert.deepEqual(store.list(), [{ digest: hello, sizeBytes: 11 }])
  assert.equal((await store.put(Buffer.from('hello world'))).isNew, false)
  assert.equal(readFileSync(join(root, 'content/blobs/sha256', hexOf(hello)), 'utf8'), 'hello world')
  assert.equal(store.pathOf(hello), join(root, 'content/blobs/sha256', hexOf(hello)))
  assert.deepEqual(left(), [])
})

test('ingest() keeps nothing of what is not as expected', async (t) => {
  const { store, left } = await setUp(t)
  const other = sha256('other')
  await assert.rejects(store.ingest(chunks('hello world'), { expected: other }), {
    kind: 'invalid',
    message: /^blob has the digest sha256:b94d/,
  })
  await assert.rejects(store.ingest(chunks('hello world'), { sizeBytes: 10 }), {
    kind: 'invalid',
    message: /more than the 10 bytes/,
  })
  await assert.rejects(store.ingest(chunks('hello world'), { sizeBytes: 12 }), {
    kind: 'invalid',
    message: /has 11 bytes, not the 12/,
  })
  assert.deepEqual([store.list(), left()], [[], []])
})

test('ingest() stops reading when the size is passed', async (t) => {
  const { store } = await setUp(t)
  let read = 0
  async function* endless() {
    for (;;) {
      read++
      yield Buffer.alloc(10)
    }
  }
  await assert.rejects(store.ingest(endless(), { sizeBytes: 25 }), /more than the 25 bytes/)
  assert.equal(read, 3)
})

test('ingest() passes on the failure of its source and leaves nothing', async (t) => {
  const { store, left } = await setUp(t)
  await assert.rejects(store.ingest(broken()), /connection lost/)
  assert.deepEqual([store.list(), left()], [[], []])
})

test('ingest() ends at once when aborted, though its source hangs', async (t) => {
  const { store, left } = await setUp(t)
  const controller = new AbortController()
  async function* hanging() {
    yield Buffer.from('x')
    controller.abort(new Error('client gone'))
    await new Promise(() => {})
  }
  await assert.rejects(store.ingest(hanging(), { signal: controller.signal }), /client gone/)
  assert.deepEqual([store.list(), left()], [[], []])
})

test('ingest() of one blob twice at the same time stores it once', async (t) => {
  const { store, left } = await setUp(t)
  const both = await Promise.all([store.ingest(chunks('a', 'b')), store.ingest(chunks('ab'))])
  assert.equal(both[0].digest, both[1].digest)
  assert.deepEqual([store.list().map(({ digest }) => digest), left()], [[both[0].digest], []])
})

test('ingest() verifies sha512 digests too', async (t) => {
  const { store } = await setUp(t)
  const digest = `sha512:${'0'.repeat(128)}` as Digest
  await assert.rejects(store.ingest(chunks('a'), { expected: digest }), /blob has the digest sha512:/)
})

test('adopt() moves a file in, and only drops it where its blob is there', async (t) => {
  const { root, store } = await setUp(t)
  const path = join(root, 'upload')
  for (const isNew of [true, false]) {
    writeFileSync(path, 'hello world')
    assert.deepEqual(await store.adopt(path, hello), { digest: hello, sizeBytes: 11, isNew })
    assert.equal(existsSync(path), false)
  }
  assert.equal((await store.read(hello, 11)).toString(), 'hello world')
})

test('read() refuses a blob that is absent, too large or altered', async (t) => {
  const { store } = await setUp(t)
  await assert.rejects(store.read(hello, 100), { kind: 'notFound' })
  await store.put(Buffer.from('hello world'))
  assert.equal((await store.read(hello, 11)).toString(), 'hello world')
  await assert.rejects(store.read(hello, 10), { kind: 'invalid', message: /11 bytes, at most 10/ })
  writeFileSync(store.pathOf(hello), 'HELLO WORLD')
  await assert.rejects(store.read(hello, 11), { kind: 'internal', message: /corrupt on disk/ })
})

test('a damaged blob is not held, and what comes next takes its place', async (t) => {
  const { root, store } = await setUp(t)
  const blob = { digest: hello, size: 11 }
  const path = join(root, 'upload')
  const again = [
    async () => store.put(Buffer.from('hello world')),
    async () => (await store.stage(chunks('hello world'), { expected: hello })).finish(),
    async () => {
      writeFileSync(path, 'hello world')
      return await store.adopt(path, hello)
    },
  ]
  assert.equal(store.holds(blob), false)
  for (const come of again) {
    for (const damage of ['short', 'HELLO WORLD']) {
      await store.put(Buffer.from('hello world'))
      assert.equal(store.holds(blob), true)
      writeFileSync(store.pathOf(hello), damage)
      await assert.rejects(store.read(hello, 11), /corrupt on disk/)
      assert.equal(store.holds(blob), false)
      assert.deepEqual(await come(), { digest: hello, sizeBytes: 11, isNew: false })
      assert.equal(store.holds(blob), true)
      assert.equal((await store.read(hello, 11)).toString(), 'hello world')
    }
  }
})

test('open() streams a blob, or a part of it', async (t) => {
  const { store } = await setUp(t)
  await store.put(Buffer.from('hello world'))
  const text = async (options?: { start?: number; end?: number }) =>
    Buffer.concat(await Array.fromAsync(store.open(hello, options))).toString()
  assert.deepEqual(
    [await text(), await text({ start: 6 }), await text({ start: 0, end: 4 })],
    ['hello world', 'world', 'hello'],
  )
})

test('remove() deletes a blob, and is content with none', async (t) => {
  const { store } = await setUp(t)
  await store.put(Buffer.from('hello world'))
  await store.remove(hello)
  await store.remove(hello)
  assert.equal(store.info(hello), undefined)
})

test('pathOf() makes no path of what is no digest', async (t) => {
  const { store } = await setUp(t)
  assert.throws(() => store.pathOf('sha256:../../etc/passwd' as Digest), /not a digest/)
})

test('openContentStore() deletes what was never finished and keeps the blobs', async (t) => {
  const { root, store, left } = await setUp(t)
  await store.put(Buffer.from('hello world'))
  writeFileSync(join(root, 'content/ingest/half'), 'hel')
  const again = await openContentStore({ root, logger: silentLogger })
  assert.deepEqual([again.list().length, left()], [1, []])
})

test('stage() takes a blob in before it is verified, and keeps nothing of what is wrong', async (t) => {
  const { store, left } = await setUp(t)
  const staged = await store.stage(chunks('hello ', 'world'), { expected: hello, sizeBytes: 11 })
  assert.deepEqual([store.list(), left().length], [[], 1])
  assert.deepEqual(await staged.finish(), { digest: hello, sizeBytes: 11, isNew: true })
  const again = await store.stage(chunks('hello world'))
  assert.equal((await again.finish()).isNew, false)
  const wrong = await store.stage(chunks('hello, world'), { expected: hello })
  await assert.rejects(wrong.finish(), { kind: 'invalid', message: /^blob has the digest sha256:/ })
  const short = await store.stage(chunks('hello'), { sizeBytes: 11 })
  await assert.rejects(short.finish(), { kind: 'invalid', message: /has 5 bytes, not the 11/ })
  await assert.rejects(store.stage(chunks('hello world'), { sizeBytes: 5 }), { message: /more than the 5 bytes/ })
  await assert.rejects(store.stage(broken()), { message: 'connection lost' })
  assert.deepEqual([store.list(), left()], [[{ digest: hello, sizeBytes: 11 }], []])
})
