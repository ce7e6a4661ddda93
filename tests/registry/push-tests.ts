import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { createHash } from 'node:crypto'
import {
  Cli,
  fixtureImage,
  type FixtureImage,
  layerOf,
  imageRegistries,
  type ImageRegistry,
  useEngine,
} from '@berth/testing'
import { blobRequests } from './blob-requests.ts'

/** What a push does, with the registry of this name in `imageRegistries`. */
export function pushTests(program: keyof typeof imageRegistries): void {
  const start = imageRegistries[program]!
  let registry: ImageRegistry
  let locked: ImageRegistry
  after(async () => {
    await registry?.[Symbol.asyncDispose]()
    await locked?.[Symbol.asyncDispose]()
  })
  const engine = useEngine({ images: ['busybox'] })
  const docker = new Cli('docker', engine)

  beforeEach(async () => {
    registry ??= await start(engine.daemon!.sandbox)
    locked ??= await start(engine.daemon!.sandbox, { port: 5001, users: { me: 'secret' } })
  })

  const image = (tag: string, ...files: string[]): FixtureImage => ({
    reference: `x:${tag}`,
    layers: files.map((name) => layerOf([{ path: name, content: `${name} of ${tag}`.repeat(1000) }])),
    config: { Cmd: ['/a'] },
  })

  interface Message {
    readonly status?: string
    readonly id?: string
    readonly error?: string
    readonly aux?: { readonly Tag: string; readonly Digest: string; readonly Size: number }
  }

  async function push(name: string, tag: string, auth?: object): Promise<Message[]> {
    const header = Buffer.from(JSON.stringify(auth ?? {})).toString('base64url')
    const headers = { 'X-Registry-Auth': header }
    const target = `/images/${name}/push${tag === '' ? '' : `?tag=${tag}`}`
    const { status, text } = await engine.api.request('POST', target, undefined, { headers })
    assert.equal(status, 200, text)
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Message)
  }

  interface Manifest {
    readonly mediaType: string
    readonly config: { readonly digest: string }
    readonly layers: readonly { readonly mediaType: string; readonly digest: string; readonly size: number }[]
  }

  const statuses = (messages: readonly Message[], id: string): string[] => [
    ...new Set(messages.filter((message) => message.id === id).map(({ status }) => status ?? '')),
  ]

  const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

  test('a loaded image goes compressed, is the same image there, and goes once', async () => {
    const name = `${registry.host}/pushed/one`
    await docker.ok('tag', 'busybox', `${name}:1`)
    const [diffId] = JSON.parse(await docker.ok('image', 'inspect', '-f', '{{json .RootFS.Layers}}', 'busybox')) as [
      string,
    ]
    const id = diffId.slice(7, 19)
    const said = await push(name, '1')
    assert.equal(said[0]?.status, `The push refers to repository [${name}]`)
    assert.deepEqual(statuses(said, id), ['Preparing', 'Pushing', 'Pushed'])
    const { digest, bytes } = registry.manifest('pushed/one', '1')
    const manifest = JSON.parse(bytes.toString()) as Manifest
    assert.equal(manifest.mediaType, 'application/vnd.docker.distribution.manifest.v2+json')
    assert.equal(manifest.config.digest, await docker.ok('image', 'inspect', '-f', '{{.Id}}', 'busybox'))
    const [layer] = manifest.layers
    const blob = registry.blob(layer!.digest)
    assert.deepEqual([sha256(blob), blob.length, sha256(gunzipSync(blob))], [layer!.digest, layer!.size, diffId])
    assert.equal(said.at(-2)?.status, `1: digest: ${digest} size: ${bytes.length}`)
    assert.deepEqual(said.at(-1)?.aux, { Tag: '1', Digest: digest, Size: bytes.length })
    assert.equal(await docker.ok('image', 'inspect', '-f', '{{.RepoDigests}}', `${name}:1`), `[${name}@${digest}]`)

    assert.deepEqual(statuses(await push(name, '1'), id), ['Preparing', 'Layer already exists'])
    const other = `${registry.host}/pushed/other`
    await docker.ok('tag', 'busybox', `${other}:2`)
    assert.deepEqual(statuses(await push(other, '2'), id), ['Preparing', 'Mounted from pushed/one'])
    assert.equal(registry.manifest('pushed/other', '2').digest, digest)
    // Compressed once more, for a registry that has nothing of it: the same bytes.
    const elsewhere = `${locked.host}/pushed/one`
    await docker.ok('tag', 'busybox', `${elsewhere}:1`)
    assert.deepEqual(statuses(await push(elsewhere, '1', { username: 'me', password: 'secret' }), id).at(-1), 'Pushed')
    assert.equal(locked.manifest('pushed/one', '1').digest, digest)

    const before = registry.requests().length
    assert.match(await docker.ok('pull', `${other}:2`), /Image is up to date/)
    assert.deepEqual(blobRequests(registry, before), [])
  })

  test('what came from a registry goes on byte by byte', async () => {
    const stored = await registry.add('source/exact', image('exact', 'a', 'b'))
    await docker.ok('pull', `${registry.host}/source/exact:exact`)
    const auth = { username: 'me', password: 'secret' }
    await docker.ok('tag', `${registry.host}/source/exact:exact`, `${locked.host}/target/exact:x`)
    const said = await push(`${locked.host}/target/exact`, 'x', auth)
    assert.equal(said.at(-1)?.aux?.Digest, stored.digest)
    assert.deepEqual(locked.manifest('target/exact', 'x').bytes, registry.manifest('source/exact', 'exact').bytes)
    for (const { digest } of stored.layers) assert.deepEqual(locked.blob(digest), registry.blob(digest))
  })

  test('all tags of a name go with -a', async () => {
    const name = `${registry.host}/pushed/all`
    for (const tag of ['1', '2', '3']) await docker.ok('tag', 'busybox', `${name}:${tag}`)
    const said = await docker.ok('push', '-a', name)
    assert.deepEqual(
      said
        .split('\n')
        .filter((line) => line.includes('digest:'))
        .map((line) => line.slice(0, 10)),
      ['1: digest:', '2: digest:', '3: digest:'],
    )
  })

  test('what cannot be pushed is said in Docker’s words', async () => {
    const name = `${registry.host}/pushed/none`
    const last = async (...args: Parameters<typeof push>) => (await push(...args)).at(-1)?.error
    assert.equal(await last(name, '1'), `An image does not exist locally with the tag: ${name}`)
    await docker.ok('tag', 'busybox', `${name}:1`)
    assert.equal(await last(name, '2'), `tag does not exist: ${name}:2`)
    await docker.ok('tag', 'busybox', '127.0.0.1:1/x:1')
    assert.equal(
      await last('127.0.0.1:1/x', '1'),
      'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    )
    await docker.ok('tag', 'busybox', `${locked.host}/x:1`)
    assert.equal(await last(`${locked.host}/x`, '1'), 'no basic auth credentials')
    const wrong = { username: 'me', password: 'wrong' }
    assert.match((await last(`${locked.host}/x`, '1', wrong)) ?? '', /^unauthorized: /)
    const byDigest = await engine.api.request('POST', `/images/x@sha256:${'0'.repeat(64)}/push`)
    const [refers, refusal, ...rest] = byDigest.text.trim().split('\n')
    assert.deepEqual([byDigest.status, rest], [200, []])
    assert.match(refers ?? '', /The push refers to repository \[docker\.io\/library\/x\]/)
    assert.equal((JSON.parse(refusal ?? '') as { error: string }).error, 'cannot push a digest reference')
  })

  test('/auth tells good credentials from wrong ones, and a registry that is not there', async () => {
    const login = async (serveraddress: string, password?: string) => {
      const body = { serveraddress, ...(password && { username: 'me', password }) }
      const { status, text } = await engine.api.request('POST', '/auth', body)
      return [status, JSON.parse(text) as object]
    }
    assert.deepEqual(await login(locked.host, 'secret'), [200, { IdentityToken: '', Status: 'Login Succeeded' }])
    assert.deepEqual(await login(`https://${locked.host}/v1/`, 'secret'), [
      200,
      { IdentityToken: '', Status: 'Login Succeeded' },
    ])
    assert.deepEqual(await login(locked.host, 'wrong'), [
      401,
      { message: `login attempt to http://${locked.host}/v2/ failed with status: 401 Unauthorized` },
    ])
    assert.deepEqual(await login(locked.host), [
      500,
      { message: `Get "http://${locked.host}/v2/": no basic auth credentials` },
    ])
    assert.deepEqual(await login('127.0.0.1:1', 'secret'), [
      500,
      { message: 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused' },
    ])
  })

  test('/distribution names the manifest and its platforms without pulling', async () => {
    const stored = await registry.add('team/distribution', { ...image('1', 'a'), architecture: 'arm64' })
    const ask = async (name: string) => {
      const { status, text } = await engine.api.request('GET', `/distribution/${name}/json`)
      return [status, JSON.parse(text) as object]
    }
    const { mediaType, digest, size } = stored
    assert.deepEqual(await ask(`${registry.host}/team/distribution:1`), [
      200,
      { Descriptor: { mediaType, digest, size }, Platforms: [{ architecture: 'arm64', os: 'linux' }] },
    ])
    assert.deepEqual(await ask(`${registry.host}/team/distribution:2`), [
      404,
      { message: 'manifest unknown: manifest unknown' },
    ])
    assert.deepEqual(await ask('BAD'), [
      400,
      { message: 'invalid reference format: repository name (library/BAD) must be lowercase' },
    ])
  })

  test('a registry without a search says so', async () => {
    const { status, text } = await engine.api.request('GET', `/images/search?term=${registry.host}/foo`)
    assert.deepEqual([status, text.trim()], [500, '{"message":"Unexpected status code 404"}'])
    const limit = await engine.api.request('GET', '/images/search?term=x&limit=101')
    assert.deepEqual(
      [limit.status, limit.text.trim()],
      [400, '{"message":"limit 101 is outside the range of [1, 100]"}'],
    )
  })

  test('docker push and pull carry an image from one engine’s registry to a run', async () => {
    const name = `${registry.host}/round/trip:1`
    const { reference } = await fixtureImage('busybox')
    await docker.ok('tag', reference, name)
    await docker.ok('push', '-q', name)
    await docker.ok('rmi', name)
    assert.equal(await docker.ok('run', '--rm', '-q', name, 'echo', 'there and back'), 'there and back')
  })
}
