import { invalid, notFound } from '@berth/base'
import { encodeAuthConfig } from '@berth/engine-api'
import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { fakeImage, imageId, serve } from '../testing/fakes.ts'

test('GET /images/json presents by version', async () => {
  const dangling = fakeImage({ repoTags: [] })
  await using api = await serve({ images: { list: () => Promise.resolve([dangling]) } })
  const newest = {
    Containers: 1,
    Created: 1767225600,
    Id: imageId,
    Labels: null,
    ParentId: '',
    RepoDigests: [],
    RepoTags: [],
    SharedSize: -1,
    Size: 1000,
  }
  assert.deepEqual(await api.json('/images/json'), [newest])
  const older = { ...newest, Containers: -1 }
  assert.deepEqual(await api.json('/v1.44/images/json'), [older])
  assert.deepEqual(await api.json('/v1.42/images/json'), [
    { ...older, RepoDigests: ['<none>@<none>'], RepoTags: ['<none>:<none>'], VirtualSize: 1000 },
  ])
})

test('GET /images/json computes shared sizes and refuses unknown filters', async () => {
  const twin = fakeImage()
  await using api = await serve({ images: { list: () => Promise.resolve([fakeImage(), twin]) } })
  const sizes = (await api.json('/images/json?shared-size=1')) as { SharedSize: number }[]
  assert.deepEqual(
    sizes.map(({ SharedSize }) => SharedSize),
    [1000, 1000],
  )
  assert.match((await api.call('GET', '/images/json?filters={"bad":["x"]}')).text, /invalid filter 'bad'/)
})

test('/images/{name}/<verb> takes names with slashes, ports, tags and digests', async () => {
  const seen: unknown[] = []
  await using api = await serve({
    images: {
      resolve(reference, platform) {
        seen.push([reference, platform])
        return Promise.resolve(fakeImage())
      },
      tag(source, target) {
        seen.push([source, target])
        return Promise.resolve()
      },
      remove(reference, options) {
        seen.push([reference, options])
        return Promise.resolve([{ Untagged: 'x' }])
      },
      save(references) {
        seen.push(references)
        return Promise.resolve(Readable.from([Buffer.from('tar')]))
      },
    },
  })
  const platform = encodeURIComponent('{"os":"linux","architecture":"arm64"}')
  await api.call('GET', `/images/r:5000/a/b:t/json?platform=${platform}`)
  await api.call('GET', `/v1.47/images/a%2Fb@${imageId}/history?platform=${platform}`)
  assert.equal((await api.call('POST', '/images/a/b/tag?repo=c&tag=d')).status, 201)
  await api.call('DELETE', '/images/a/b:c?force=1&noprune=1')
  assert.equal((await api.call('GET', '/images/a/get/get')).headers['content-type'], 'application/x-tar')
  await api.call('GET', '/images/get?names=a&names=b')
  assert.deepEqual(seen, [
    ['r:5000/a/b:t', 'linux/arm64'],
    [`a/b@${imageId}`, undefined],
    ['a/b', 'c:d'],
    ['a/b:c', { force: true, prune: false }],
    ['a/get'],
    ['a', 'b'],
  ])
  assert.equal((await api.call('POST', '/images/a/tag')).status, 400)
  assert.match((await api.call('GET', '/images/a/json?platform=zz')).text, /failed to parse platform/)
})

test('GET /images/{name}/json presents by version', async () => {
  await using api = await serve()
  const inspect = async (version: string) =>
    (await api.json(`/v${version}/images/busybox/json`)) as Record<string, Record<string, unknown>>
  const newest = await inspect('1.51')
  assert.deepEqual(newest['Config'], {
    User: '',
    Env: ['PATH=/bin'],
    Cmd: ['sh'],
    Volumes: null,
    WorkingDir: '',
    Entrypoint: null,
    OnBuild: null,
    Labels: null,
  })
  assert.deepEqual([newest['Comment'], newest['RootFS']], ['Imported from -', { Type: 'layers', Layers: [imageId] }])
  assert.deepEqual(newest['GraphDriver'], { Data: { UpperDir: '/layers/1/fs' }, Name: 'overlay2' })
  const has = (document: object, ...names: string[]) => names.map((name) => name in document)
  assert.deepEqual(has(newest, 'VirtualSize', 'ContainerConfig'), [false, false])
  assert.deepEqual(has(await inspect('1.44'), 'VirtualSize', 'ContainerConfig'), [false, true])
  assert.deepEqual(has(await inspect('1.43'), 'VirtualSize', 'ContainerConfig'), [true, true])
  assert.deepEqual(has((await inspect('1.49'))['Config']!, 'Hostname', 'Tty'), [true, true])
})

test('GET /images/{name}/json writes times as Go does', async () => {
  const cases = [
    ['2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00Z'],
    ['2026-01-01T00:00:00.120+02:00', '2026-01-01T00:00:00.12+02:00'],
    ['2026-01-01T00:00:10Z', '2026-01-01T00:00:10Z'],
    ['nonsense.0', 'nonsense.0'],
  ]
  for (const [created, shown] of cases) {
    const image = fakeImage()
    await using api = await serve({
      images: { resolve: async () => ({ ...image, config: { ...image.config, created } }) },
    })
    assert.equal(((await api.json('/images/busybox/json')) as { Created: string }).Created, shown)
  }
})

test('POST /images/load streams progress and tells a failure in the stream', async () => {
  await using api = await serve({
    images: {
      async load(archive, { quiet }, progress) {
        const chunks: Buffer[] = []
        for await (const chunk of archive as AsyncIterable<Buffer>) chunks.push(chunk)
        if (Buffer.concat(chunks).length === 0) throw invalid('empty archive')
        progress({ stream: `Loaded ${Buffer.concat(chunks).toString()} ${quiet}\n` })
      },
    },
  })
  const loaded = await api.call('POST', '/images/load?quiet=0', Buffer.from('tar'))
  assert.deepEqual([loaded.status, loaded.text], [200, '{"stream":"Loaded tar false\\n"}\r\n'])
  const failed = await api.call('POST', '/images/load')
  assert.deepEqual(
    [failed.status, failed.text],
    [200, '{"errorDetail":{"message":"empty archive"},"error":"empty archive"}\r\n'],
  )
})

test('POST /images/create imports from the body and refuses the rest with words', async () => {
  const seen: unknown[] = []
  await using api = await serve({
    images: {
      importRootfs({ source, signal, ...request }) {
        seen.push(typeof source === 'string' ? source : request)
        assert.equal(signal?.aborted, false)
        if (typeof source !== 'string') source.resume()
        if (request.platform) throw invalid('operating system is not supported')
        return Promise.resolve(imageId)
      },
    },
  })
  const target = '/images/create?fromSrc=-&repo=a/b&tag=1&message=hi&changes=USER%20x'
  const imported = await api.call('POST', target, Buffer.from('tar'))
  assert.deepEqual([imported.status, imported.text], [200, `{"status":"${imageId}"}\r\n`])
  assert.deepEqual(seen, [{ changes: ['USER x'], message: 'hi', reference: 'a/b:1' }])
  assert.equal((await api.call('POST', '/images/create?fromSrc=-&platform=zz', Buffer.from('tar'))).status, 400)
  assert.equal((await api.call('POST', '/images/create')).status, 400)
})

test('POST /images/create pulls what fromImage and tag name, with the credentials of the request', async () => {
  const seen: unknown[] = []
  await using api = await serve({
    images: {
      pull({ signal, ...request }, progress) {
        seen.push(request)
        progress({ status: 'Pulling' })
        assert.equal(signal?.aborted, false)
        return Promise.reject(notFound('gone'))
      },
    },
  })
  const headers = { 'X-Registry-Auth': encodeAuthConfig({ username: 'me', password: 'pw' }) }
  const answer = await api.call('POST', '/images/create?fromImage=a/b&tag=1&platform=linux/arm64', undefined, headers)
  assert.equal(answer.text, '{"status":"Pulling"}\r\n{"errorDetail":{"message":"gone"},"error":"gone"}\r\n')
  const digest = `sha256:${'a'.repeat(64)}`
  await api.call('POST', `/images/create?fromImage=a/b:x&tag=${digest}`, undefined, { 'X-Registry-Auth': '!' })
  await api.call('POST', '/images/create?fromImage=a/b:')
  assert.deepEqual(seen, [
    { reference: 'docker.io/a/b:1', platform: 'linux/arm64', auth: { username: 'me', password: 'pw' } },
    { reference: `docker.io/a/b@${digest}`, auth: {} },
    { reference: 'docker.io/a/b', auth: {} },
  ])
  assert.equal((await api.call('POST', '/images/create?fromImage=A')).status, 400)
})

test('POST /images/prune names what was removed', async () => {
  await using api = await serve({
    images: { prune: () => Promise.resolve({ deleted: [{ Deleted: imageId }], reclaimedBytes: 3 }) },
  })
  const { text } = await api.call('POST', '/images/prune?filters={"dangling":["1"]}')
  assert.deepEqual(JSON.parse(text), { ImagesDeleted: [{ Deleted: imageId }], SpaceReclaimed: 3 })
})
