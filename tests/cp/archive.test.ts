// The archive endpoints, by plain HTTP: the same table holds for dockerd (BERTH_TEST_HOST).
import { packTar, readTar, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { PassThrough } from 'node:stream'
import { after, before, describe, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { gzipSync, zstdCompressSync } from 'node:zlib'

const engine = useEngine()
const isPeer = process.env['BERTH_TEST_HOST'] !== undefined
let id: string

interface Status {
  readonly name: string
  readonly size: number
  readonly mode: number
  readonly mtime: string
  readonly linkTarget: string
}

const setup = `mkdir -p /d/full/sub /d/empty; echo a > /d/file; echo b > /d/full/sub/x; ln -s /d/full /d/lnk
  ln -s full /d/rlnk; ln -s /dne /d/broken; ln -s file /d/flnk; ln /d/file /d/hard; chmod 700 /d/full; touch -d @1000000000 /d/file`

async function create(body: object = {}, { start = true } = {}): Promise<string> {
  const config = { Image: 'busybox', Cmd: ['sh', '-c', `${setup}; touch /ready; exec sleep 1000`], ...body }
  const answer = (await engine.api.json('POST', `/containers/create?name=${engine.name()}`, config)) as { Id: string }
  if (!start) return answer.Id
  await engine.api.json('POST', `/containers/${answer.Id}/start`)
  for (;;) if ((await head(answer.Id, '/ready')).status === 200) return answer.Id
}

const remove = (container: string) => engine.api.request('DELETE', `/containers/${container}?force=1&v=1`)
const at = (container: string, path: string, query = '') =>
  `/containers/${container}/archive?path=${encodeURIComponent(path)}${query}`

async function head(container: string, path: string): Promise<{ status: number; stat?: Status }> {
  const answer = await engine.api.request('HEAD', at(container, path))
  const text = answer.headers['x-docker-container-path-stat'] as string | undefined
  return { status: answer.status, ...(text && { stat: JSON.parse(Buffer.from(text, 'base64').toString()) as Status }) }
}

async function names(container: string, path: string): Promise<string[]> {
  const { status, body } = await engine.api.open('GET', at(container, path))
  assert.equal(status, 200, path)
  const found: string[] = []
  for await (const { entry } of readTar(body)) {
    found.push(entry.type === 'hardlink' || entry.type === 'symlink' ? `${entry.path}>${entry.linkPath}` : entry.path)
  }
  return found
}

async function put(
  container: string,
  path: string,
  body: Buffer,
  query = '',
): Promise<{ status: number; message: string }> {
  const headers = { 'Content-Type': 'application/x-tar' }
  const { status, text } = await engine.api.request('PUT', at(container, path, query), body, { headers })
  return { status, message: text === '' ? '' : (JSON.parse(text) as { message: string }).message }
}

const one = packTar([{ path: 'new', content: 'hello', mode: 0o640, uid: 1234, gid: 4321 }])

const content = async (container: string, path: string): Promise<string> => (await bytes(container, path)).toString()

async function bytes(container: string, path: string): Promise<Buffer> {
  const { status, body } = await engine.api.open('GET', at(container, path))
  assert.equal(status, 200, path)
  for await (const member of readTar(body)) return Buffer.concat(await Array.fromAsync(member.content()))
  throw new Error(`${path}: an empty archive`)
}

describe('archive', () => {
  before(async () => {
    id = await create()
  })
  after(() => remove(id))

  describe('HEAD and GET', () => {
    test('status of directories, files and links', async () => {
      const facts = async (path: string) => {
        const { stat } = await head(id, path)
        return [stat?.name, stat?.mode, stat?.linkTarget]
      }
      const directory = 2 ** 31 + 0o755
      assert.deepEqual(await facts('/d'), ['d', directory, ''])
      assert.deepEqual(await facts('/d/'), ['d', directory, ''])
      assert.deepEqual(await facts('/d/.'), ['.', directory, ''])
      assert.deepEqual(await facts('d'), ['d', directory, ''])
      assert.deepEqual(await facts('/'), ['/', directory, ''])
      assert.deepEqual(await facts('../../d'), ['d', directory, ''])
      assert.deepEqual(await facts('/d/lnk'), ['lnk', 2 ** 27 + 0o777, '/d/full'])
      assert.deepEqual(await facts('/d/rlnk'), ['rlnk', 2 ** 27 + 0o777, '/d/full'])
      assert.deepEqual(await facts('/d/lnk/'), ['lnk', 2 ** 31 + 0o700, ''])
      assert.deepEqual(await facts('/d/broken'), ['broken', 2 ** 27 + 0o777, '/dne'])
      const { stat } = await head(id, '/d/file')
      assert.deepEqual(stat, { name: 'file', size: 2, mode: 0o644, mtime: '2001-09-09T01:46:40Z', linkTarget: '' })
    })

    test('what is absent is named, with the container as the client named it', async () => {
      for (const path of ['/dne', '/dne/x', '/d/broken/', '/d/broken/x']) {
        const { status, text } = await engine.api.request('GET', at(id, path))
        assert.deepEqual(
          [status, JSON.parse(text)],
          [404, { message: `Could not find the file ${path} in container ${id}` }],
        )
      }
      const { status, text } = await engine.api.request('GET', at(id, '/d/file/'))
      assert.match(text, /lstat \/d\/file\/: not a directory/)
      assert.ok(status >= 400)
      assert.equal((await engine.api.request('GET', at('dne', '/'))).status, 404)
      assert.equal((await engine.api.request('GET', `/containers/${id}/archive`)).status, 400)
      assert.equal((await engine.api.request('GET', `/containers/${id}/archive?path=`)).status, 400)
    })

    test('entries begin with the last name of the path', async () => {
      const below = ['broken>/dne', 'empty/', 'file', 'flnk>file', 'full/', 'full/sub/', 'full/sub/x']
      const under = (base: string) => [base, ...below.map((name) => `${base}${name}`), `${base}hard>${base}file`]
      const links = ['lnk>/d/full', 'rlnk>full']
      const sorted = (list: string[]) => list.toSorted()
      assert.deepEqual(sorted(await names(id, '/d')), sorted([...under('d/'), ...links.map((name) => `d/${name}`)]))
      assert.deepEqual(sorted(await names(id, '/d/')), sorted([...under('d/'), ...links.map((name) => `d/${name}`)]))
      assert.deepEqual(sorted(await names(id, '/d/.')), sorted([...under('./'), ...links.map((name) => `./${name}`)]))
      assert.deepEqual(await names(id, '/d/lnk/'), ['lnk/', 'lnk/sub/', 'lnk/sub/x'])
      assert.deepEqual(await names(id, '/d/lnk'), ['lnk>/d/full'])
      assert.deepEqual(await names(id, '/d/flnk'), ['flnk>file'])
      assert.deepEqual(await names(id, '/d/file'), ['file'])
      assert.ok((await names(id, '/')).includes('/d/full/sub/x'))
    })

    test('the files of the engine are those that the container has', async () => {
      assert.match(await content(id, '/etc/hosts'), /^127\.0\.0\.1\s+localhost/)
    })

    test('/proc and /sys of a running container are empty directories', async () => {
      assert.deepEqual([await names(id, '/proc'), await names(id, '/sys')], [['proc/'], ['sys/']])
    })
  })

  describe('PUT', () => {
    const cases: readonly [path: string, body: () => Buffer, wanted: number | RegExp][] = [
      ['/d', () => one, 200],
      ['/d/lnk', () => one, 200],
      ['/d/lnk/', () => one, 200],
      ['/d/empty', () => packTar([]), 200],
      ['/d/empty', () => Buffer.alloc(0), 200],
      ['/d/empty', () => gzipSync(one), 200],
      ['/d/empty', () => zstdCompressSync(one), 200],
      ['/d/empty', () => execFileSync('bzip2', { input: one }), 200],
      ['/d/broken', () => one, /^Could not find the file \/d\/broken in container/],
      ['/d/dne', () => one, /^Could not find the file \/d\/dne in container/],
      ['/d/file', () => one, /^extraction point is not a directory$/],
      ['/d/flnk', () => one, /^extraction point is not a directory$/],
      ['/d/file/', () => one, /not a directory/],
      ['/d', () => packTar([{ path: '../escaped', content: 'x' }]), /\.\.\/escaped/],
      ['/d', () => packTar([{ path: 'a/../../escaped', content: 'x' }]), /a\/\.\.\/\.\.\/escaped/],
      ['/d', () => Buffer.alloc(4096, 'garbage'), /./],
    ]
    for (const [path, body, wanted] of cases) {
      test(`in ${path}: ${wanted}`, async () => {
        const { status, message } = await put(id, path, body())
        if (wanted === 200) assert.deepEqual([status, message], [200, ''])
        else assert.match(message, wanted as RegExp)
      })
    }

    if (!isPeer) {
      // The peer may have no xz.
      test('xz is read too', async () => {
        assert.equal((await put(id, '/d/empty', execFileSync('xz', { input: one }))).status, 200)
      })
    }

    test('large bodies arrive whole, compressed or not', async () => {
      const content = randomBytes(6 << 20)
      const large = packTar([{ path: 'large', content }])
      for (const [name, body] of Object.entries({
        plain: large,
        gzip: gzipSync(large),
        zstd: zstdCompressSync(large),
      })) {
        assert.deepEqual(await put(id, '/d/empty', body), { status: 200, message: '' }, name)
        assert.ok(content.equals(await bytes(id, '/d/empty/large')), name)
      }
      assert.match((await put(id, '/d/dne', large)).message, /^Could not find the file \/d\/dne/)
      assert.match((await put(id, '/d', Buffer.alloc(6 << 20, 'garbage'))).message, /./)
    })

    test('a client that goes away in the middle stops its copy only', async () => {
      const archive = packTar([{ path: 'half', content: Buffer.alloc(4 << 20, 'h') }])
      const headers = { 'Content-Type': 'application/x-tar', 'Content-Length': String(archive.length) }
      const body = new PassThrough()
      body.write(archive.subarray(0, 2 << 20))
      const abort = new AbortController()
      const copy = engine.api.open('PUT', at(id, '/d/empty'), body, { headers, signal: abort.signal })
      while ((await head(id, '/d/empty/half')).status !== 200) await setTimeout(20)
      abort.abort()
      await assert.rejects(copy, { name: 'AbortError' })
      assert.deepEqual(await put(id, '/d/empty', one), { status: 200, message: '' })
    })

    test('owner, mode and time are the archive’s, or all the container’s user’s', async () => {
      const listing = async (container: string, path: string) => {
        const { body } = await engine.api.open('GET', at(container, path))
        for await (const { entry } of readTar(body)) return [entry.uid, entry.gid, entry.mode]
      }
      await put(id, '/tmp', one)
      assert.deepEqual(await listing(id, '/tmp/new'), [1234, 4321, 0o640])
      for (const [user, wanted] of [
        ['7:8', [7, 8]],
        ['7', [7, 0]],
        ['nobody', [65_534, 65_534]],
        ['root:nogroup', [0, 65_534]],
        ['', [1234, 4321]],
      ] as const) {
        const other = await create({ User: user }, { start: false })
        assert.deepEqual(await put(other, '/tmp', one, '&copyUIDGID=1'), { status: 200, message: '' })
        assert.deepEqual(await listing(other, '/tmp/new'), [...wanted, 0o640], user)
        await remove(other)
      }
    })

    test('directories merge, and kinds are kept when they are to be', async () => {
      const fileNamed = (path: string) => packTar([{ path, content: 'x' }])
      const directoryNamed = (path: string) => packTar([{ path: `${path}/`, mode: 0o711 }])
      const kept = '&noOverwriteDirNonDir=true'
      assert.match(
        (await put(id, '/d', fileNamed('full'), kept)).message,
        /^cannot overwrite directory "full" with non-/,
      )
      assert.match(
        (await put(id, '/d', directoryNamed('file'), kept)).message,
        /^cannot overwrite non-directory "file" with/,
      )
      assert.equal((await put(id, '/d', directoryNamed('full'), kept)).status, 200)
      assert.equal((await head(id, '/d/full')).stat?.mode, 2 ** 31 + 0o711)
      assert.equal((await put(id, '/d', fileNamed('hard'))).status, 200)
      assert.deepEqual([await content(id, '/d/hard'), await content(id, '/d/file')], ['x', 'a\n'])
    })

    test('whiteouts are names like any other', async () => {
      await put(id, '/d/empty', packTar([{ path: '.wh.new', content: 'kept' }]))
      assert.equal(await content(id, '/d/empty/.wh.new'), 'kept')
    })

    test('the engine’s files cannot be replaced', async () => {
      assert.match(
        (await put(id, '/etc', packTar([{ path: 'hosts', content: 'x' }]))).message,
        /device or resource busy/,
      )
      const exec = { Cmd: ['cat', '/etc/hosts'], AttachStdout: true, Tty: true }
      const { Id } = (await engine.api.json('POST', `/containers/${id}/exec`, exec)) as { Id: string }
      const { text } = await engine.api.request('POST', `/exec/${Id}/start`, { Tty: true })
      assert.match(text, /localhost/)
    })
  })

  describe('states', () => {
    test('created, running, paused and stopped containers alike', async () => {
      const other = await create({}, { start: false })
      const works = async (state: string) => {
        assert.deepEqual(await put(other, '/tmp', packTar([{ path: state, content: state }])), {
          status: 200,
          message: '',
        })
        assert.equal(await content(other, `/tmp/${state}`), state)
      }
      await works('created')
      await engine.api.json('POST', `/containers/${other}/start`)
      await works('running')
      await engine.api.json('POST', `/containers/${other}/pause`)
      await works('paused')
      await engine.api.json('POST', `/containers/${other}/unpause`)
      await engine.api.json('POST', `/containers/${other}/kill`)
      await engine.api.json('POST', `/containers/${other}/wait`)
      await works('stopped')
      assert.deepEqual(await names(other, '/tmp'), [
        'tmp/',
        ...['created', 'paused', 'running', 'stopped'].map((n) => `tmp/${n}`),
      ])
      await remove(other)
    })

    test('a read-only root refuses, its volumes do not', async () => {
      const host = { ReadonlyRootfs: true, Tmpfs: { '/run': '' } }
      const other = await create({ HostConfig: host, Cmd: ['sleep', '1000'] }, { start: false })
      assert.deepEqual(await put(other, '/tmp', one), { status: 400, message: 'container rootfs is marked read-only' })
      assert.equal((await head(other, '/tmp')).status, 200)
      await remove(other)
    })

    test('events tell of copies', async () => {
      const since = Date.now() / 1000
      await put(id, '/tmp', one)
      await content(id, '/tmp/new')
      const until = Date.now() / 1000 + 0.01
      const filters = encodeURIComponent(JSON.stringify({ container: [id] }))
      const { text } = await engine.api.request('GET', `/events?since=${since}&until=${until}&filters=${filters}`)
      const actions = text
        .split('\n')
        .filter(Boolean)
        .map((line) => (JSON.parse(line) as { Action: string }).Action)
      assert.deepEqual(actions, ['extract-to-dir', 'archive-path'])
    })
  })
})
