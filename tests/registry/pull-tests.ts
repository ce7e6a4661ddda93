import assert from 'node:assert/strict'
import { after, beforeEach, test } from 'node:test'
import {
  Cli,
  command,
  fixtureImage,
  type FixtureImage,
  layerOf,
  imageRegistries,
  type ImageRegistry,
  type StoredImage,
  useEngine,
} from '@berth/testing'
import { blobRequests } from './blob-requests.ts'

/** What a pull does, with the registry of this name in `imageRegistries`. */
export function pullTests(program: keyof typeof imageRegistries): void {
  const start = imageRegistries[program]!
  let registry: ImageRegistry
  // before the engine's own, which finds everything that is left in its sandbox
  after(() => registry?.[Symbol.asyncDispose]())
  const engine = useEngine({ images: [] })
  const docker = new Cli('docker', engine)
  let busybox: StoredImage

  // made late: the sandbox is there when the engine runs
  beforeEach(async () => {
    if (registry) return
    registry = await start(engine.daemon!.sandbox)
    busybox = await registry.add('team/busybox', { ...(await fixtureImage('busybox')), reference: 'busybox:1' })
  })
  const image = (tag: string, ...files: string[]): FixtureImage => ({
    reference: `x:${tag}`,
    layers: files.map((name) => layerOf([{ path: name, content: `${name} of ${tag}`.repeat(100) }])),
    config: { Cmd: ['/a'] },
  })

  interface Message {
    readonly status?: string
    readonly id?: string
    readonly error?: string
  }

  async function pull(query: string): Promise<Message[]> {
    const { status, text } = await engine.api.request('POST', `/images/create?${query}`)
    assert.equal(status, 200, text)
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Message)
  }

  const statuses = (messages: readonly Message[], id: string): string[] => [
    ...new Set(messages.filter((message) => message.id === id).map(({ status }) => status ?? '')),
  ]

  test('docker pull brings an image that runs, and prints what it prints of Docker', async () => {
    const name = `${registry.host}/team/busybox:1`
    const layer = busybox.layers[0]!.digest.slice(7, 19)
    assert.equal(
      await docker.ok('pull', name),
      [
        '1: Pulling from team/busybox',
        `${layer}: Pulling fs layer`,
        `${layer}: Verifying Checksum`,
        `${layer}: Download complete`,
        `${layer}: Pull complete`,
        `Digest: ${busybox.digest}`,
        `Status: Downloaded newer image for ${name}`,
        name,
      ].join('\n'),
    )
    assert.equal(await docker.ok('run', '--rm', name, 'echo', 'pulled'), 'pulled')
    assert.equal(
      await docker.ok('image', 'inspect', '-f', '{{.Id}} {{.RepoDigests}}', name),
      `${busybox.configDigest} [${registry.host}/team/busybox@${busybox.digest}]`,
    )
  })

  test('a pull of what is here asks for nothing but the manifest', async () => {
    const name = `${registry.host}/team/busybox:1`
    await docker.ok('pull', '-q', name)
    const before = registry.requests().length
    const said = await pull(`fromImage=${registry.host}/team/busybox&tag=1`)
    assert.deepEqual(
      said.map(({ status }) => status),
      ['Pulling from team/busybox', `Digest: ${busybox.digest}`, `Status: Image is up to date for ${name}`],
    )
    assert.deepEqual(blobRequests(registry, before), [])
  })

  test('a layer tells of its way in Docker’s words', async () => {
    const stored = await registry.add('team/words', image('1', 'a', 'b'))
    const said = await pull(`fromImage=${registry.host}/team/words:1`)
    for (const { digest } of stored.layers) {
      assert.deepEqual(statuses(said, digest.slice(7, 19)), [
        'Pulling fs layer',
        'Downloading',
        'Verifying Checksum',
        'Download complete',
        'Extracting',
        'Pull complete',
      ])
    }
  })

  test('a pull by digest has the digest for its name; one by a wrong digest is not found', async () => {
    const stored = await registry.add('team/digest', image('1', 'a'))
    const name = `${registry.host}/team/digest@${stored.digest}`
    assert.match(await docker.ok('pull', name), new RegExp(`^${name}: Pulling from team/digest\n`))
    assert.equal(await docker.ok('image', 'inspect', '-f', '{{.RepoTags}} {{.RepoDigests}}', name), `[] [${name}]`)
    const absent = `sha256:${'0'.repeat(64)}`
    assert.match(await docker.fails('pull', `${registry.host}/team/digest@${absent}`), /manifest unknown/)
  })

  test('a name without a tag stands for all of them', async () => {
    for (const tag of ['1', '2', '3']) await registry.add('team/many', image(tag, 'a'))
    await docker.ok('pull', '-a', `${registry.host}/team/many`)
    const tags = (await docker.ok('images', '--format', '{{.Tag}}', `${registry.host}/team/many`)).split('\n')
    assert.deepEqual(tags.toSorted(), ['1', '2', '3'])
  })

  test('what is not there is not found, in Docker’s words', async () => {
    const answer = async (query: string) => {
      const { status, text } = await engine.api.request('POST', `/images/create?${query}`)
      return [status, (JSON.parse(text) as { message: string }).message]
    }
    assert.deepEqual(await answer(`fromImage=${registry.host}/team/busybox&tag=none`), [
      404,
      `manifest for ${registry.host}/team/busybox:none not found: manifest unknown: manifest unknown`,
    ])
    assert.deepEqual(await answer(`fromImage=${registry.host}/team/none`), [
      404,
      `repository ${registry.host}/team/none not found: name unknown: repository name not known to registry`,
    ])
    assert.deepEqual(await answer('fromImage=127.0.0.1:1/nobody&tag=1'), [
      500,
      'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused',
    ])
    assert.deepEqual(await answer('fromImage=BAD'), [
      400,
      'invalid reference format: repository name (library/BAD) must be lowercase',
    ])
  })

  test('fifty pulls of one image fetch each blob once', async () => {
    const stored = await registry.add('team/fifty', image('50', 'a', 'b', 'c'))
    const before = registry.requests().length
    await Promise.all(Array.from({ length: 50 }, () => pull(`fromImage=${registry.host}/team/fifty&tag=50`)))
    const blobs = blobRequests(registry, before)
    const expected = [stored.configDigest, ...stored.layers.map(({ digest }) => digest)]
    assert.deepEqual(blobs.toSorted(), expected.map((digest) => `GET /v2/team/fifty/blobs/${digest}`).toSorted())
  })

  test('docker run pulls what is not here', async () => {
    await registry.add('team/run', { ...(await fixtureImage('busybox')), reference: 'x:1' })
    const name = `${registry.host}/team/run:1`
    const { code, stdout, stderr } = await command(docker.file, ['run', '--rm', name, 'echo', 'ran'], {
      env: docker.env,
    })
    assert.deepEqual([code, stdout], [0, 'ran\n'])
    assert.match(stderr, /^Unable to find image .* locally\n1: Pulling from team\/run\n/)
  })
}
