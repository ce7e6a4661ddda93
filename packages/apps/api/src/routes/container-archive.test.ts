import {
  codeOf,
  createBodyDecoder,
  invalid,
  isSocketSource,
  notFound,
  type SocketBytes,
  type SocketStream,
} from '@berth/base'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readSync, writeSync } from 'node:fs'
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

/** An archive that its maker writes to the connection, as another thread would. */
function selfWriting(chunks: readonly string[], seen: { destroyed: boolean }): Readable & SocketStream {
  const never = new Readable({ read: () => assert.fail('it is written, not read') })
  const writeTo: SocketStream['writeTo'] = async ({ fd, begin }) => {
    if (chunks.length > 0) await begin()
    for (const chunk of chunks) writeSync(fd, `${chunk.length.toString(16)}\r\n${chunk}\r\n`)
    if (chunks.at(-1) !== 'then fails') return
    if (chunks.length > 1) await once(never, 'close')
    throw notFound('/l is gone')
  }
  return Object.assign(never, { writeTo }).once('close', () => (seen.destroyed = true))
}

test('GET /containers/{id}/archive lets the archive be written to the connection, which serves on', async () => {
  const seen = { destroyed: false }
  await using api = await serve({
    containers: { readArchive: () => Promise.resolve({ status, archive: selfWriting(['tar', ' and more'], seen) }) },
  })
  const request = ['GET /containers/web/archive?path=/l HTTP/1.1', 'Host: x']
  const connection = api.raw(request)
  await connection.until('0\r\n\r\n')
  assert.match(
    connection.received(),
    /^HTTP\/1.1 200 OK\r\n[^]*chunked\r\n\r\n3\r\ntar\r\n9\r\n and more\r\n0\r\n\r\n$/,
  )
  connection.socket.write('GET /_ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  assert.match(await connection.ended, /0\r\n\r\nHTTP\/1.1 200 OK\r\n[^]*OK$/)
})

test('GET /containers/{id}/archive stops an archive when the engine ends', async () => {
  const seen = { destroyed: false }
  {
    await using api = await serve({
      containers: { readArchive: () => Promise.resolve({ status, archive: selfWriting(['tar', 'then fails'], seen) }) },
    })
    await api.raw(['GET /containers/web/archive?path=/l HTTP/1.1', 'Host: x']).until('then fails')
  }
  assert.equal(seen.destroyed, true)
})

test('GET /containers/{id}/archive tells an archive’s early failure, and reads for an old client', async () => {
  const archives = [
    Object.assign(new Readable({ read: () => undefined }), { writeTo: () => Promise.reject(notFound('/l is gone')) }),
    Object.assign(Readable.from([Buffer.from('tar')]), { writeTo: () => assert.fail('no chunks in HTTP/1.0') }),
  ]
  await using api = await serve({
    containers: { readArchive: () => Promise.resolve({ status, archive: archives.shift()! }) },
  })
  assert.equal((await api.call('GET', '/containers/web/archive?path=/l')).status, 404)
  const old = api.raw(['GET /containers/web/archive?path=/l HTTP/1.0'])
  assert.match(await old.ended, /\r\n\r\ntar$/)
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

const put = ['PUT /containers/web/archive?path=/d HTTP/1.1', 'Host: x']

/** An engine that reads bodies from their sockets, where it can. */
async function serveReader(bodies: Buffer[], wasLeft: boolean[] = []) {
  return await serve({
    containers: {
      writeArchive: async (_ref, { source }) => {
        assert.ok(isSocketSource(source))
        const socket = source.takeSocket()
        wasLeft.push(socket !== undefined)
        bodies.push(await (socket ? readSocket(socket) : buffer(source)))
      },
    },
  })
}

const inChunks = (whole: Buffer, size: number): Buffer =>
  Buffer.concat([
    ...Array.from({ length: Math.ceil(whole.length / size) }, (_, index) => {
      const part = whole.subarray(index * size, (index + 1) * size)
      return Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')])
    }),
    Buffer.from('0\r\n\r\n'),
  ])

test('PUT /containers/{id}/archive leaves a large body in its socket, but for its beginning', async () => {
  const whole = Buffer.alloc(5 << 20, 'all of it, once ')
  const bodies: Buffer[] = []
  await using api = await serveReader(bodies)
  const bodyOf = {
    [`Content-Length: ${whole.length}`]: whole,
    'Transfer-Encoding: chunked': inChunks(whole, 300_000),
    'transfer-encoding: Chunked\r\nExpect: 100-continue': inChunks(whole, 32_768),
  }
  for (const [header, wire] of Object.entries(bodyOf)) {
    // The body right after the head, after a while, and in pieces: the parser has read more or less of it.
    for (const pieces of [[wire], [wire.subarray(0, 700), wire.subarray(700)], [Buffer.alloc(0), wire]]) {
      const connection = api.raw([...put, header])
      for (const piece of pieces) {
        connection.socket.write(piece)
        await setImmediate()
      }
      const answer = await connection.ended
      assert.match(answer, /^(HTTP\/1.1 100 Continue\r\n\r\n)?HTTP\/1.1 200 OK\r\n[^]*Connection: close/)
      assert.equal(answer.includes('100 Continue'), header.includes('Expect'))
      assert.ok(bodies.pop()?.equals(whole))
      connection.socket.destroy()
    }
  }
})

test('PUT /containers/{id}/archive reads a body that it cannot leave in its socket', async () => {
  const bodies: Buffer[] = []
  const wasLeft: boolean[] = []
  await using api = await serveReader(bodies, wasLeft)
  const requests = [
    // Small, behind another request, and in a coding of another kind.
    [...put, 'Content-Length: 5', '', 'hello'],
    ['GET /_ping HTTP/1.1', 'Host: x', '', ...put, 'Transfer-Encoding: chunked', '', '5', 'hello', '0', '', ''],
    [...put, 'Transfer-Encoding: gzip, chunked', '', '5', 'hello', '0', '', ''],
  ]
  for (const request of requests) {
    const connection = api.raw(request)
    await connection.until('Content-Length: 0\r\n')
    connection.socket.destroy()
  }
  assert.deepEqual(wasLeft, [false, false, false])
  assert.deepEqual(bodies.map(String), ['hello', 'hello', 'hello'])
})

test('PUT /containers/{id}/archive answers before it drops what nobody reads', async () => {
  await using api = await serve({
    containers: { writeArchive: () => Promise.reject(notFound('No such container: web')) },
  })
  for (const header of ['Transfer-Encoding: chunked', `Content-Length: ${64 << 20}`]) {
    const connection = api.raw([...put, header])
    const chunk = Buffer.alloc(1 << 20)
    for (let count = 0; count < 64; count++) {
      if (!connection.socket.write(`${chunk.length.toString(16)}\r\n`)) await once(connection.socket, 'drain')
      if (!connection.socket.write(chunk)) await once(connection.socket, 'drain')
    }
    assert.match(await connection.ended, /^HTTP\/1.1 404 Not Found\r\n[^]*No such container: web/)
    connection.socket.destroy()
  }
})

test('PUT /containers/{id}/archive gives a body that was left to whoever reads it as a stream', async () => {
  const bodies: unknown[] = []
  await using api = await serve({
    containers: {
      writeArchive: async (_ref, { source }) => {
        bodies.push(await buffer(source).then(String, codeOf))
      },
    },
  })
  const chunked = [...put, 'Transfer-Encoding: chunked']
  await api.raw(chunked, '5\r\nhello\r\n0\r\n\r\n').ended
  const torn = api.raw(chunked, '5\r\nhel')
  torn.socket.end()
  await torn.ended
  assert.deepEqual(bodies, ['hello', 'ECONNRESET'])
})

/** Reads as another thread would, which does not wait for Node's event loop. */
async function readSocket({ fd, head, framing }: SocketBytes): Promise<Buffer> {
  const decoder = createBodyDecoder(framing)
  const parts = decoder.decode(head)
  while (!decoder.isComplete) parts.push(...decoder.decode(await readSome(fd)))
  return Buffer.concat(parts)
}

async function readSome(fd: number): Promise<Buffer> {
  const buffer = Buffer.alloc(1 << 18)
  for (;;) {
    try {
      return buffer.subarray(0, readSync(fd, buffer))
    } catch (error) {
      if (codeOf(error) !== 'EAGAIN') throw error
      await setImmediate()
    }
  }
}
