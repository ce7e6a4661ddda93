// The four categories of the distribution specification's conformance, in our own words:
// https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  codesOf,
  describe,
  digestOf,
  indexType,
  manifestType,
  pathOf,
  refusal,
  type RegistryClient,
  withDigest,
} from './registry-client.ts'

/** Where registries may differ, and do. */
export interface Abilities {
  /** Of version 1.1: referrers, subjects, deletion of tags, mounts that name no source. */
  readonly isNewest: boolean
  readonly hasSha512: boolean
}

export function conformance(client: () => RegistryClient, abilities: Abilities): void {
  pull(client, abilities)
  push(client, abilities)
  discovery(client, abilities)
  if (abilities.isNewest) referrers(client)
  management(client, abilities)
}

const emptyConfig = '{}'

function pull(client: () => RegistryClient, { isNewest }: Abilities): void {
  test('GET /v2/ says that there is a registry', async () => {
    const answer = await client().get('/v2/')
    assert.equal(answer.status, 200)
    assert.equal(answer.headers['docker-distribution-api-version'], 'registry/2.0')
  })

  test('a manifest comes by tag and by digest, with the same bytes', async () => {
    const { manifest, document } = await client().pushImage('pull/manifest', 'v1')
    for (const reference of ['v1', manifest.digest]) {
      const path = `/v2/pull/manifest/manifests/${reference}`
      const head = await client().head(path, { Accept: manifestType })
      const got = await client().get(path, { Accept: manifestType })
      for (const { status, headers } of [head, got]) {
        assert.deepEqual(
          [status, headers['content-type'], headers['docker-content-digest'], headers['content-length']],
          [200, manifestType, manifest.digest, String(manifest.size)],
        )
      }
      assert.deepEqual([head.text, got.text], ['', JSON.stringify(document)])
    }
  })

  test('what is not there is 404, also to HEAD', async () => {
    await client().pushImage('pull/absent', 'v1')
    const absent = digestOf('absent')
    for (const path of ['manifests/v2', `manifests/${absent}`, `blobs/${absent}`]) {
      assert.equal((await client().head(`/v2/pull/absent/${path}`)).status, 404, path)
    }
    assert.deepEqual(refusal(await client().get('/v2/pull/absent/manifests/v2')), [404, 'MANIFEST_UNKNOWN'])
    assert.deepEqual(refusal(await client().get(`/v2/pull/absent/blobs/${absent}`)), [404, 'BLOB_UNKNOWN'])
    assert.equal((await client().get('/v2/pull/no-such-repository/manifests/v1')).status, 404)
  })

  test('a blob comes whole and in parts', async () => {
    const { digest } = await client().pushBlob('pull/blob', '0123456789')
    const path = `/v2/pull/blob/blobs/${digest}`
    const head = await client().head(path)
    assert.deepEqual(
      [head.status, head.headers['content-length'], head.headers['docker-content-digest'], head.text],
      [200, '10', digest, ''],
    )
    assert.equal((await client().get(path)).text, '0123456789')
    for (const [range, status, told, text] of [
      ['bytes=0-3', 206, 'bytes 0-3/10', '0123'],
      ['bytes=7-', 206, 'bytes 7-9/10', '789'],
      ...(isNewest
        ? ([
            ['bytes=-2', 206, 'bytes 8-9/10', '89'],
            ['bytes=4-40', 206, 'bytes 4-9/10', '456789'],
          ] as const)
        : []),
    ] as const) {
      const answer = await client().get(path, { Range: range })
      assert.deepEqual([answer.status, answer.headers['content-range'], answer.text], [status, told, text], range)
    }
    if (isNewest) assert.equal((await client().get(path, { Range: 'bytes=10-' })).status, 416)
  })

  test('a blob of one repository is not in another', async () => {
    const { digest } = await client().pushBlob('pull/mine', 'only mine')
    await client().pushBlob('pull/yours', 'only yours')
    assert.equal((await client().head(`/v2/pull/yours/blobs/${digest}`)).status, 404)
  })

  test('errors are JSON with a code', async () => {
    const { headers, text } = await client().get('/v2/pull/none/manifests/none')
    assert.match(String(headers['content-type']), /^application\/json/)
    const [error] = (JSON.parse(text) as { errors: { code: string; message: string }[] }).errors
    assert.match(error?.code ?? '', /^[A-Z_]+$/)
    assert.equal(typeof error?.message, 'string')
  })
}

function push(client: () => RegistryClient, { hasSha512, isNewest }: Abilities): void {
  test('a blob is pushed by POST and PUT', async () => {
    const digest = digestOf('post and put')
    const answer = await client().send('PUT', withDigest(await client().begin('push/two'), digest), 'post and put')
    assert.equal(answer.status, 201)
    assert.equal(pathOf(answer), `/v2/push/two/blobs/${digest}`)
    assert.equal((await client().get(pathOf(answer))).text, 'post and put')
  })

  test('a blob is pushed by one POST, where the registry can do that', async () => {
    const digest = digestOf('one post')
    const answer = await client().send('POST', `/v2/push/one/blobs/uploads/?digest=${digest}`, 'one post', octets)
    if (isNewest) assert.equal(answer.status, 201)
    else assert.ok([201, 202].includes(answer.status))
    if (answer.status === 202) await client().send('PUT', withDigest(pathOf(answer), digest), 'one post')
    assert.equal((await client().get(`/v2/push/one/blobs/${digest}`)).text, 'one post')
  })

  test('a blob is pushed in chunks', async () => {
    const chunks = ['first, ', 'second, ', 'third']
    let path = await client().begin('push/chunks')
    let at = 0
    for (const chunk of chunks) {
      const range = `${at}-${at + chunk.length - 1}`
      const answer = await client().send('PATCH', path, chunk, { ...octets, 'Content-Range': range })
      at += chunk.length
      assert.deepEqual([answer.status, answer.headers.range], [202, `0-${at - 1}`], answer.text)
      path = pathOf(answer)
    }
    const status = await client().get(path)
    assert.deepEqual([status.status, status.headers.range], [204, `0-${at - 1}`])
    const digest = digestOf(chunks.join(''))
    assert.equal((await client().send('PUT', withDigest(path, digest), '')).status, 201)
    assert.equal((await client().get(`/v2/push/chunks/blobs/${digest}`)).text, chunks.join(''))
  })

  test('the last chunk may come with the PUT', async () => {
    const begun = await client().begin('push/last')
    const patched = await client().send('PATCH', begun, 'begin', { ...octets, 'Content-Range': '0-4' })
    const digest = digestOf('begin and end')
    const range = { ...octets, 'Content-Range': '5-12' }
    const answer = await client().send('PUT', withDigest(pathOf(patched), digest), ' and end', range)
    assert.equal(answer.status, 201, answer.text)
    assert.equal((await client().get(`/v2/push/last/blobs/${digest}`)).text, 'begin and end')
  })

  test('an upload may be given up, and is gone then', async () => {
    const path = await client().begin('push/cancel')
    assert.equal((await client().send('DELETE', path)).status, 204)
    assert.equal((await client().get(path)).status, 404)
    assert.equal((await client().send('PATCH', path, 'x', octets)).status, 404)
  })

  test('bytes that are not what their digest says are refused, and not there', async () => {
    const wrong = digestOf('something else')
    const answer = await client().send('PUT', withDigest(await client().begin('push/wrong'), wrong), 'bytes')
    assert.deepEqual(refusal(answer), [400, 'DIGEST_INVALID'])
    assert.equal((await client().head(`/v2/push/wrong/blobs/${wrong}`)).status, 404)
    const malformed = await client().send('PUT', withDigest(await client().begin('push/wrong'), 'sha256:12'), 'bytes')
    assert.deepEqual(refusal(malformed), [400, 'DIGEST_INVALID'])
  })

  test('an empty blob is a blob', async () => {
    const { digest } = await client().pushBlob('push/empty', '')
    const { status, headers } = await client().head(`/v2/push/empty/blobs/${digest}`)
    assert.deepEqual([status, headers['content-length']], [200, '0'])
  })

  test('a blob is mounted from another repository', async () => {
    const { digest } = await client().pushBlob('push/source', 'to be mounted')
    const mount = (from: string) => `/v2/push/target/blobs/uploads/?mount=${digest}&from=${from}`
    const answer = await client().send('POST', mount('push/source'), '')
    assert.deepEqual([answer.status, pathOf(answer)], [201, `/v2/push/target/blobs/${digest}`])
    assert.equal((await client().get(pathOf(answer))).text, 'to be mounted')
    const absent = await client().send('POST', mount('push/nowhere').replace('target', 'third'), '')
    assert.deepEqual([absent.status, absent.headers.location !== undefined], [202, true])
    assert.equal((await client().head(`/v2/push/third/blobs/${digest}`)).status, 404)
  })

  test('a manifest is put by tag and by digest', async () => {
    const { config, layer } = await client().pushImage('push/manifest', 'v1')
    const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer, layer] }
    const { digest } = describe(manifestType, JSON.stringify(document))
    const byDigest = await client().putManifest('push/manifest', digest, document)
    assert.deepEqual([byDigest.status, byDigest.headers['docker-content-digest']], [201, digest], byDigest.text)
    const byTag = await client().putManifest('push/manifest', 'v2', document)
    assert.equal(byTag.status, 201)
    assert.ok([`/v2/push/manifest/manifests/${digest}`, '/v2/push/manifest/manifests/v2'].includes(pathOf(byTag)))
    const got = await client().get('/v2/push/manifest/manifests/v2', { Accept: manifestType })
    assert.equal(got.text, JSON.stringify(document))
    const other = await client().putManifest('push/manifest', digestOf('other'), document)
    assert.deepEqual(refusal(other), [400, 'DIGEST_INVALID'])
  })

  test('a tag that is put again stands for the new manifest', async () => {
    const before = await client().pushImage('push/again', 'v1')
    const after = await client().pushImage('push/again', 'v1', { annotations: { a: 'b' } })
    const { headers } = await client().head('/v2/push/again/manifests/v1', { Accept: manifestType })
    assert.equal(headers['docker-content-digest'], after.manifest.digest)
    assert.equal(
      (await client().head(`/v2/push/again/manifests/${before.manifest.digest}`, { Accept: manifestType })).status,
      200,
    )
  })

  test('a manifest whose blobs are not there is refused, and an index whose manifests are not', async () => {
    const { config } = await client().pushImage('push/missing', 'v1')
    const layer = describe('application/vnd.oci.image.layer.v1.tar+gzip', 'never pushed')
    const document = { schemaVersion: 2, mediaType: manifestType, config, layers: [layer] }
    assert.deepEqual(refusal(await client().putManifest('push/missing', 'v2', document)), [
      400,
      'MANIFEST_BLOB_UNKNOWN',
    ])
    assert.equal((await client().head('/v2/push/missing/manifests/v2')).status, 404)
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [describe(manifestType, 'never pushed')] }
    assert.equal((await client().putManifest('push/missing', 'v3', index)).status, 400)
  })

  test('an index is put over the manifests that are there', async () => {
    const { manifest } = await client().pushImage('push/index', 'amd64')
    const platform = { architecture: 'amd64', os: 'linux' }
    const index = { schemaVersion: 2, mediaType: indexType, manifests: [{ ...manifest, platform }] }
    assert.equal((await client().putManifest('push/index', 'all', index)).status, 201)
    const { headers, text } = await client().get('/v2/push/index/manifests/all', { Accept: indexType })
    assert.deepEqual([headers['content-type'], text], [indexType, JSON.stringify(index)])
  })

  test('what is no manifest is refused', async () => {
    await client().pushImage('push/nonsense', 'v1')
    for (const text of ['', 'nonsense', '[]', '{"schemaVersion":2}']) {
      const answer = await client().putManifest('push/nonsense', 'v2', text)
      assert.equal(answer.status, 400, text)
      if (isNewest) assert.deepEqual(codesOf(answer), ['MANIFEST_INVALID'], text)
    }
  })

  if (isNewest) {
    test('a chunk out of order is 416, and the upload goes on where it was', async () => {
      const begun = await client().begin('push/order')
      const early = await client().send('PATCH', begun, 'later', { ...octets, 'Content-Range': '5-9' })
      assert.equal(early.status, 416, early.text)
      const first = await client().send('PATCH', begun, 'first', { ...octets, 'Content-Range': '0-4' })
      assert.equal(first.status, 202, first.text)
      const again = await client().send('PATCH', pathOf(first), 'first', { ...octets, 'Content-Range': '0-4' })
      assert.equal(again.status, 416, again.text)
      const { headers } = await client().get(pathOf(first))
      assert.equal(headers.range, '0-4')
      const digest = digestOf('first')
      assert.equal((await client().send('PUT', withDigest(pathOf(first), digest), '')).status, 201)
    })
  }

  if (!hasSha512) return
  test('blobs and manifests may have sha512 digests', async () => {
    const digest = digestOf('long digest', 'sha512')
    const answer = await client().send('PUT', withDigest(await client().begin('push/sha512'), digest), 'long digest')
    assert.equal(answer.status, 201, answer.text)
    assert.equal((await client().get(`/v2/push/sha512/blobs/${digest}`)).text, 'long digest')
    const config = { mediaType: 'application/octet-stream', digest, size: 11 }
    const text = JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers: [] })
    const put = await client().putManifest('push/sha512', digestOf(text, 'sha512'), text)
    assert.deepEqual([put.status, put.headers['docker-content-digest']], [201, digestOf(text, 'sha512')])
    assert.equal((await client().get(`/v2/push/sha512/manifests/${digestOf(text, 'sha512')}`)).text, text)
  })
}

const octets = { 'Content-Type': 'application/octet-stream' }

function discovery(client: () => RegistryClient, { isNewest }: Abilities): void {
  test('tags are listed in order, and in pages', async () => {
    for (const tag of ['c', 'a', 'e', 'b', 'd']) await client().pushImage('list/tags', tag)
    const list = async (query: string) => {
      const { headers, text } = await client().get(`/v2/list/tags/tags/list${query}`)
      const { name, tags } = JSON.parse(text) as { name: string; tags: string[] }
      return { name, tags: isNewest ? tags : tags.toSorted(), link: headers.link }
    }
    assert.deepEqual(await list(''), { name: 'list/tags', tags: ['a', 'b', 'c', 'd', 'e'], link: undefined })
    const empty = await client().get('/v2/list/none/tags/list')
    assert.deepEqual(refusal(empty), [404, 'NAME_UNKNOWN'])
  })

  test('repositories are listed, and in pages', async () => {
    for (const name of ['catalog/b', 'catalog/a', 'catalog/c']) await client().pushImage(name, 'v1')
    const all = JSON.parse((await client().get('/v2/_catalog?n=1000')).text) as { repositories: string[] }
    assert.deepEqual(
      all.repositories.filter((name) => name.startsWith('catalog/')),
      ['catalog/a', 'catalog/b', 'catalog/c'],
    )
    const page = await client().get('/v2/_catalog?n=1&last=catalog/a')
    assert.deepEqual((JSON.parse(page.text) as { repositories: string[] }).repositories, ['catalog/b'])
    assert.match(String(page.headers.link), /^<[^>]*\/v2\/_catalog\?[^>]*>; rel="next"$/)
  })
}

function referrers(client: () => RegistryClient): void {
  test('pages of tags lead to each other', async () => {
    for (const tag of ['c', 'a', 'B', 'd']) await client().pushImage('list/pages', tag)
    const pages: string[][] = []
    let path: string | undefined = '/v2/list/pages/tags/list?n=3'
    while (path !== undefined) {
      const { headers, text } = await client().get(path)
      pages.push((JSON.parse(text) as { tags: string[] }).tags)
      path = /^<([^>]*)>; rel="next"$/.exec(String(headers.link ?? ''))?.[1]
    }
    assert.deepEqual(pages, [['a', 'B', 'c'], ['d']])
    const after = await client().get('/v2/list/pages/tags/list?n=2&last=a')
    assert.deepEqual((JSON.parse(after.text) as { tags: string[] }).tags, ['B', 'c'])
    const none = await client().get('/v2/list/pages/tags/list?n=0')
    assert.deepEqual([none.headers.link, (JSON.parse(none.text) as { tags: string[] }).tags], [undefined, []])
  })

  test('referrers of a manifest are an index, filtered by type', async () => {
    const { manifest: subject } = await client().pushImage('list/referrers', 'v1')
    const empty = await client().pushBlob('list/referrers', emptyConfig, 'application/vnd.oci.empty.v1+json')
    const artifact = async (artifactType: string, annotations: object) => {
      const document = {
        schemaVersion: 2,
        mediaType: manifestType,
        artifactType,
        config: empty,
        layers: [empty],
        subject,
        annotations,
      }
      const descriptor = describe(manifestType, JSON.stringify(document))
      const answer = await client().putManifest('list/referrers', descriptor.digest, document)
      assert.deepEqual([answer.status, answer.headers['oci-subject']], [201, subject.digest], answer.text)
      return { ...descriptor, artifactType, annotations }
    }
    const signature = await artifact('application/vnd.example.signature', { of: 'ann' })
    const sbom = await artifact('application/vnd.example.sbom', { in: 'spdx' })
    const config = { ...empty, mediaType: 'application/vnd.example.config' }
    const old = { schemaVersion: 2, mediaType: manifestType, config, layers: [empty], subject }
    await client().putManifest('list/referrers', 'old-style', old)
    const listed = async (query: string) => {
      const answer = await client().get(`/v2/list/referrers/referrers/${subject.digest}${query}`)
      assert.deepEqual([answer.status, answer.headers['content-type']], [200, indexType])
      const { manifests } = JSON.parse(answer.text) as { manifests: { digest: string }[] }
      return { manifests, filters: answer.headers['oci-filters-applied'] }
    }
    const all = await listed('')
    const oldStyle = { ...describe(manifestType, JSON.stringify(old)), artifactType: config.mediaType }
    const expected = [signature, sbom, oldStyle].toSorted((a, b) => (a.digest < b.digest ? -1 : 1))
    assert.deepEqual(all, { manifests: expected, filters: undefined })
    assert.deepEqual(await listed('?artifactType=application/vnd.example.sbom'), {
      manifests: [sbom],
      filters: 'artifactType',
    })
    assert.deepEqual((await listed('?artifactType=none/none')).manifests, [])
  })

  test('referrers of what is not there, or not there yet, are an empty index, never 404', async () => {
    const path = `/v2/list/unknown/referrers/${digestOf('unknown')}`
    const { status, text } = await client().get(path)
    assert.deepEqual([status, JSON.parse(text)], [200, { schemaVersion: 2, mediaType: indexType, manifests: [] }])
    assert.equal((await client().get('/v2/list/unknown/referrers/nonsense')).status, 400)
  })

  test('a manifest may be pushed before its subject', async () => {
    const subject = describe(manifestType, 'comes later')
    const { answer, manifest } = await client().pushImage('list/early', 'signature', { subject })
    assert.equal(answer.headers['oci-subject'], subject.digest)
    const { text } = await client().get(`/v2/list/early/referrers/${subject.digest}`)
    assert.deepEqual(
      (JSON.parse(text) as { manifests: { digest: string }[] }).manifests.map(({ digest }) => digest),
      [manifest.digest],
    )
  })

  test('an index may have a subject too', async () => {
    const { manifest: subject } = await client().pushImage('list/index', 'v1')
    const index = {
      schemaVersion: 2,
      mediaType: indexType,
      artifactType: 'application/x',
      manifests: [subject],
      subject,
    }
    assert.equal((await client().putManifest('list/index', 'idx', index)).headers['oci-subject'], subject.digest)
    const { text } = await client().get(`/v2/list/index/referrers/${subject.digest}`)
    assert.deepEqual((JSON.parse(text) as { manifests: object[] }).manifests, [
      { ...describe(indexType, JSON.stringify(index)), artifactType: 'application/x' },
    ])
  })
}

function management(client: () => RegistryClient, { isNewest }: Abilities): void {
  test('a manifest is deleted by its digest, and its tags with it', async () => {
    const { manifest } = await client().pushImage('manage/manifest', 'v1')
    assert.equal((await client().send('DELETE', `/v2/manage/manifest/manifests/${manifest.digest}`)).status, 202)
    for (const reference of ['v1', manifest.digest]) {
      assert.equal((await client().get(`/v2/manage/manifest/manifests/${reference}`)).status, 404)
    }
    assert.equal((await client().send('DELETE', `/v2/manage/manifest/manifests/${manifest.digest}`)).status, 404)
  })

  test('a blob is deleted', async () => {
    const { digest } = await client().pushBlob('manage/blob', 'to be deleted')
    assert.equal((await client().send('DELETE', `/v2/manage/blob/blobs/${digest}`)).status, 202)
    assert.equal((await client().head(`/v2/manage/blob/blobs/${digest}`)).status, 404)
    assert.equal((await client().send('DELETE', `/v2/manage/blob/blobs/${digest}`)).status, 404)
    await client().pushBlob('manage/blob', 'to be deleted')
    assert.equal((await client().get(`/v2/manage/blob/blobs/${digest}`)).text, 'to be deleted')
  })

  if (!isNewest) return
  test('a tag is deleted alone', async () => {
    const { manifest } = await client().pushImage('manage/tag', 'v1')
    assert.equal((await client().send('DELETE', '/v2/manage/tag/manifests/v1')).status, 202)
    assert.equal((await client().get('/v2/manage/tag/manifests/v1')).status, 404)
    assert.equal((await client().get(`/v2/manage/tag/manifests/${manifest.digest}`)).status, 200)
    assert.deepEqual(refusal(await client().send('DELETE', '/v2/manage/tag/manifests/v1')), [404, 'MANIFEST_UNKNOWN'])
  })

  test('a referrer that is deleted is listed no more', async () => {
    const { manifest: subject } = await client().pushImage('manage/referrer', 'v1')
    const { manifest } = await client().pushImage('manage/referrer', 'signature', { subject })
    await client().send('DELETE', `/v2/manage/referrer/manifests/${manifest.digest}`)
    const { text } = await client().get(`/v2/manage/referrer/referrers/${subject.digest}`)
    assert.deepEqual((JSON.parse(text) as { manifests: object[] }).manifests, [])
  })

  test('a blob that a manifest needs is not deleted before it', async () => {
    const { layer, manifest } = await client().pushImage('manage/needed', 'v1')
    const path = `/v2/manage/needed/blobs/${layer.digest}`
    assert.deepEqual(refusal(await client().send('DELETE', path)), [403, 'DENIED'])
    await client().send('DELETE', `/v2/manage/needed/manifests/${manifest.digest}`)
    assert.equal((await client().send('DELETE', path)).status, 202)
  })
}
