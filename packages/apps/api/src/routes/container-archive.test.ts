import { invalid, notFound } from '@berth/base'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
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
