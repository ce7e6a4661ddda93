import { codeOf, invalid, isSocketSource, notFound, type SocketBytes } from '@berth/base'
import assert from 'node:assert/strict'
import { readSync } from 'node:fs'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { serve } from '../testing/fakes.ts'

const status = { name: 'l', sizeBytes: 5, goMode: 134_218_239, mtimeNs: 1_500_000_000n, linkTarget: '/x' }
const header = { name: 'l', size: 5, mode: 134_218_239, mtime: '1970-01-01T00:00:01.5Z', linkTarget: '/x' }

const decoded = (value: unknown): unknown => JSON.parse(Buffer.from(String(value), 'base64').toString())

test('HEAD /containers/{id}/archive tells a path’s status in a header', async () => {
  const mtimes = [1_500_000_000n, -1n, 2n ** 90n]
  await using api = await serve({
    containers: {
      statPath: (_, path) => {
        if (path === '/gone') return Promise.reject(notFound('Could not find the file /gone in container web'))
        return Promise.resolve({ ...status, mtimeNs: mtimes.shift() ?? 0n })
      },
    },
  })
  const { headers } = await api.call('HEAD', '/containers/web/archive?path=/l')
  assert.deepEqual(decoded(headers['x-docker-container-path-stat']), header)
  for (const mtime of ['1970-01-01T00:00:00Z', '0001-01-01T00:00:00Z']) {
    const odd = await api.call('HEAD', '/containers/web/archive?path=/l')
    assert.deepEqual(decoded(odd.headers['x-docker-container-path-stat']), { ...header, mtime })
  }
  assert.equal((await api.call('HEAD', '/containers/web/archive?path=/gone')).status, 404)
  assert.equal((await api.call('GET', '/containers/web/archive')).status, 400)
})

test('GET /containers/{id}/archive sends the status and a tar', async () => {
  await using api = await serve({
    containers: { readArchive: () => Promise.resolve({ status, archive: Readable.from([Buffer.from('tar')]) }) },
  })
  const answer = await api.call('GET', '/containers/web/archive?path=/l')
  assert.deepEqual([answer.text, answer.headers['content-type']], ['tar', 'application/x-tar'])
  assert.deepEqual(decoded(answer.headers['x-docker-container-path-stat']), header)
})

test('PUT /containers/{id}/archive hands the body and the parameters on, and tells a refusal', async () => {
  const seen: unknown[] = []
  await using api = await serve({
    containers: {
      writeArchive: async (ref, { path, source }, { copyUidGid, noOverwriteDirNonDir }) => {
        if (path === '/full') throw invalid('container rootfs is marked read-only')
        seen.push([ref, path, (await buffer(source)).toString(), copyUidGid, noOverwriteDirNonDir])
      },
    },
  })
  const target = '/containers/web/archive?path=/d'
  assert.equal(
    (await api.call('PUT', `${target}&copyUIDGID=true&noOverwriteDirNonDir=1`, Buffer.from('a'))).status,
    200,
  )
  await api.call('PUT', target, Buffer.from('b'))
  assert.deepEqual(seen, [
    ['web', '/d', 'a', true, true],
    ['web', '/d', 'b', false, false],
  ])
  const refused = await api.call('PUT', '/containers/web/archive?path=/full', Buffer.alloc(64 << 10))
  assert.deepEqual([refused.status, refused.text], [400, '{"message":"container rootfs is marked read-only"}\n'])
})

test('PUT /containers/{id}/archive leaves a large body in its socket, but for its beginning', async () => {
  const whole = Buffer.alloc(5 << 20, 'all of it, once ')
  const bodies: Buffer[] = []
  await using api = await serve({
    containers: {
      writeArchive: async (_ref, { source }) => {
        assert.ok(isSocketSource(source))
        const socket = await source.takeSocket()
        assert.ok(socket)
        bodies.push(await readSocket(socket))
      },
    },
  })
  const head = ['PUT /containers/web/archive?path=/d HTTP/1.1', 'Host: x', `Content-Length: ${whole.length}`]
  // The body right after the head, after a while, and in pieces: the parser has read more or less of it.
  for (const pieces of [[whole], [whole.subarray(0, 700), whole.subarray(700)], [Buffer.alloc(0), whole]]) {
    const connection = api.raw(head)
    for (const piece of pieces) {
      connection.socket.write(piece)
      await setImmediate()
    }
    const answer = await connection.ended
    assert.match(answer, /^HTTP\/1.1 200 OK\r\n[^]*Connection: close/)
    connection.socket.destroy()
  }
  assert.deepEqual(
    bodies.map((body) => body.equals(whole)),
    [true, true, true],
  )
})

/** Reads as another thread would, which does not wait for Node's event loop. */
async function readSocket({ fd, head, sizeBytes }: SocketBytes): Promise<Buffer> {
  const chunks: Buffer[] = [Buffer.from(head)]
  for (let left = sizeBytes; left > 0; left -= chunks.at(-1)!.length) chunks.push(await readSome(fd, left))
  return Buffer.concat(chunks)
}

async function readSome(fd: number, atMost: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.min(atMost, 1 << 18))
  for (;;) {
    try {
      return buffer.subarray(0, readSync(fd, buffer))
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      await setImmediate()
    }
  }
}
