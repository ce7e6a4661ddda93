import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, truncateSync } from 'node:fs'
import { test } from 'node:test'
import { htmlPage, type Misbehaviour, schema1Manifest, tooManyRequests } from '@berth/testing'
import { nothingLeft, setUpRegistry } from '../testing/registry-fixture.ts'

const file = (path: string, content: string | Buffer) => ({ path, content })
const twoLayers = { layers: [[file('a', 'lower')], [file('b', 'upper')]], tag: '1' }
const incompressible = (bytes: number) => ({ layers: [[file('big', randomBytes(bytes))]], tag: '1' })

test('pull() brings an image under its tag and its digest, once', async (t) => {
  const { registry, pull, images, blobRequests, eventLog } = await setUpRegistry(t)
  const added = registry.addImage('team/app', twoLayers)
  const said = await pull('team/app:1')
  assert.deepEqual(
    [said.at(0), said.at(-2), said.at(-1)],
    [
      { status: 'Pulling from team/app', id: '1' },
      { status: `Digest: ${added.manifest.digest}` },
      { status: `Status: Downloaded newer image for ${registry.host}/team/app:1` },
    ],
  )
  const image = await images.resolve(`${registry.host}/team/app:1`)
  assert.deepEqual(
    [image.id, image.repoTags, image.repoDigests, image.sizeBytes],
    [added.config.digest, [`${registry.host}/team/app:1`], [`${registry.host}/team/app@${added.manifest.digest}`], 10],
  )
  registry.forget()
  assert.deepEqual(
    (await pull('team/app:1')).map(({ status }) => status),
    [
      'Pulling from team/app',
      `Digest: ${added.manifest.digest}`,
      `Status: Image is up to date for ${registry.host}/team/app:1`,
    ],
  )
  assert.deepEqual(blobRequests(), [])
  assert.deepEqual(await eventLog(), [`pull ${registry.host}/team/app`, `pull ${registry.host}/team/app`])
})

test('pull() fetches a layer again that was cut short on the disk', async (t) => {
  const { registry, pull, images, content } = await setUpRegistry(t)
  registry.addImage('team/app', twoLayers)
  await pull('team/app:1')
  const image = await images.resolve(`${registry.host}/team/app:1`)
  const [layer] = await images.layersOf(image)
  const whole = readFileSync(content.pathOf(layer!.descriptor.digest))
  truncateSync(content.pathOf(layer!.descriptor.digest), 5)
  await pull('team/app:1')
  assert.deepEqual(readFileSync(content.pathOf(layer!.descriptor.digest)), whole)
})

test('pull() asks for no more than the head of a tag whose image is here', async (t) => {
  const { registry, pull, images } = await setUpRegistry(t)
  const architecture = process.arch === 'x64' ? 'amd64' : 'arm64'
  const add = (content: string) =>
    registry.addMultiImage('team/app', [{ layers: [[file('a', content)]], architecture }], { tag: '1' })
  const requestsOfPull = async () => {
    registry.forget()
    await pull('team/app:1')
    return registry.requests.map(({ method, url }) => `${method} ${url.replace(/.*\/(?=blobs|manifests)/, '')}`)
  }
  add('old')
  assert.equal((await requestsOfPull()).includes('HEAD manifests/1'), false)
  assert.deepEqual(await requestsOfPull(), ['HEAD manifests/1'])
  const added = add('new')
  assert.deepEqual((await requestsOfPull()).slice(0, 2), ['HEAD manifests/1', 'GET manifests/1'])
  const { repoDigests } = await images.resolve(`${registry.host}/team/app:1`)
  assert.deepEqual(repoDigests, [`${registry.host}/team/app@${added.index.digest}`])
})

test('pull() takes zstd, gzip and plain layers of OCI and Docker', async (t) => {
  const { registry, pull, images } = await setUpRegistry(t)
  for (const compression of ['zstd', 'gzip', 'none'] as const) {
    for (const isDocker of compression === 'zstd' ? [false] : [true, false]) {
      const name = `team/${compression}${isDocker ? '-docker' : ''}`
      registry.addImage(name, { ...twoLayers, compression, isDocker })
      await pull(`${name}:1`)
      assert.equal((await images.resolve(`${registry.host}/${name}:1`)).sizeBytes, 10)
    }
  }
})

test('pull() chooses from an index by platform, and keeps several under one name', async (t) => {
  const { registry, pull, images } = await setUpRegistry(t)
  const image = (architecture: string) => ({ layers: [[file('a', architecture)]], architecture })
  registry.addMultiImage('team/multi', [image('amd64'), image('arm64'), image('s390x')], { tag: '1' })
  const name = `${registry.host}/team/multi:1`
  await pull('team/multi:1', { platform: 'linux/s390x' })
  assert.equal((await images.resolve(name)).config.architecture, 's390x')
  await pull('team/multi:1', { platform: 'linux/arm64/v8' })
  await pull('team/multi:1')
  const own = process.arch === 'x64' ? 'amd64' : 'arm64'
  assert.equal((await images.resolve(name)).config.architecture, own)
  for (const architecture of ['amd64', 'arm64', 's390x']) {
    if (architecture === 'amd64' && own !== 'amd64') continue
    assert.equal((await images.resolve(name, `linux/${architecture}`)).config.architecture, architecture)
  }
  await assert.rejects(pull('team/multi:1', { platform: 'linux/mips64' }), {
    kind: 'notFound',
    message: 'no matching manifest for linux/mips64 in the manifest list entries',
  })
})

test('pull() says when what is no index is of another platform', async (t) => {
  const { registry, pull } = await setUpRegistry(t)
  registry.addImage('team/app', { ...twoLayers, architecture: 'amd64' })
  const name = `${registry.host}/team/app:1`
  assert.deepEqual((await pull('team/app:1', { platform: 'linux/s390x' })).at(-1), {
    status: `WARNING: image with reference ${name} was found but its platform (linux/amd64) does not match the specified platform (linux/s390x)`,
  })
})

/** What a registry does wrong with a layer, and what is said of it. */
const wrongLayers: readonly [what: string, how: Misbehaviour, message: RegExp][] = [
  ['altered bytes', { kind: 'corrupt' }, /^blob has the digest sha256:[0-9a-f]+, expected sha256:/],
  ['other bytes', { kind: 'body', body: 'x'.repeat(50) }, /announces 50 bytes for blob sha256:\w+, \d+ were expected$/],
  ['a torn body', { kind: 'cut', afterBytes: 20 }, /unexpected EOF/],
  ['too few bytes', { kind: 'shorten', toBytes: 20 }, /announces 20 bytes for blob/],
  ['too many bytes', { kind: 'lengthen', byBytes: 20 }, /announces \d+ bytes for blob/],
  ['a lying length', { kind: 'declare', lengthBytes: 10_000 }, /announces 10000 bytes for blob/],
  ['a body without end', { kind: 'endless' }, /has more than the \d+ bytes it should have$/],
  ['a body that stops', { kind: 'stall', afterBytes: 10 }, /i\/o timeout$/],
  ['a trickle', { kind: 'slow', bytesPerSecond: 20 }, /i\/o timeout$/],
  ['a web page', { ...htmlPage(200) }, /answered with a web page where blob sha256:\w+ was asked for$/],
  [
    'a page of an error',
    { ...htmlPage(502) },
    /^received unexpected HTTP status: 502 Bad Gateway \(a web page from 127/,
  ],
  ['a refusal to be asked', { ...tooManyRequests('0') }, /^toomanyrequests: /],
  ['a hung up connection', { kind: 'hangUp' }, /EOF$/],
  ['a redirect to nowhere', { kind: 'redirect', to: 'ftp://127.0.0.1/x' }, /redirects to ftp:, refused$/],
]

for (const [what, how, message] of wrongLayers) {
  test(`pull() that meets ${what} fails with words and leaves nothing`, async (t) => {
    const { registry, pull, left } = await setUpRegistry(t, { stallMs: 100 })
    const { layers } = registry.addImage('team/app', { ...twoLayers, compression: 'none' })
    registry.misbehave({ on: 'blob', path: layers[1]!.digest, how })
    await assert.rejects(pull('team/app:1'), { name: 'EngineError', message })
    assert.deepEqual(await left(), nothingLeft)
  })
}

const wrongManifests: readonly [what: string, how: Misbehaviour, message: RegExp][] = [
  ['a document that is two', { kind: 'body', body: both() }, /has both layers and manifests/],
  ['a manifest of schema 1', schema1Manifest, /schema 1 is not supported/],
  ['a manifest that is too large', { kind: 'body', body: Buffer.alloc(5 << 20, ' ') }, /is larger than 4194304 bytes$/],
  ['a manifest without end', { kind: 'endless' }, /is larger than 4194304 bytes$/],
  ['a web page', { ...htmlPage(200) }, /answered with a web page \(text\/html\) where a manifest was asked for$/],
  ['too many requests', { ...tooManyRequests('600') }, /^toomanyrequests: .*\(the registry asks to wait 600 s\)$/],
  [
    'another digest than it says',
    { kind: 'headers', headers: { 'docker-content-digest': `sha256:${'0'.repeat(64)}` } },
    /^manifest verification failed for digest sha256:0000/,
  ],
]

function both(): string {
  const descriptor = { mediaType: 'x', digest: `sha256:${'a'.repeat(64)}`, size: 1 }
  return JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [], manifests: [] })
}

for (const [what, how, message] of wrongManifests) {
  test(`pull() refuses ${what}`, async (t) => {
    const { registry, pull, left } = await setUpRegistry(t)
    registry.addImage('team/app', twoLayers)
    const withoutDigest: Misbehaviour = { kind: 'headers', headers: { 'docker-content-digest': undefined } }
    if (how.kind !== 'headers') registry.misbehave({ on: 'manifest', how: withoutDigest })
    registry.misbehave({ on: 'manifest', how })
    await assert.rejects(pull('team/app:1'), { name: 'EngineError', message })
    assert.deepEqual(await left(), nothingLeft)
  })
}

test('pull() continues where a body broke off, and asks for nothing twice', async (t) => {
  const { registry, pull, images, blobRequests } = await setUpRegistry(t)
  const { layers, config } = registry.addImage('team/app', incompressible(300_000))
  const { digest, size } = layers[0]!
  registry.misbehave({ on: 'blob', path: digest, how: { kind: 'cut', afterBytes: 100_000 }, times: 1 })
  await pull('team/app:1')
  assert.equal((await images.resolve(`${registry.host}/team/app:1`)).sizeBytes, 300_000)
  const [first, second, third] = blobRequests()
  assert.deepEqual([first, second], [config.digest, digest])
  assert.match(third ?? '', new RegExp(`^${digest} bytes=[1-9]\\d+-$`))
  assert.ok(Number(/bytes=(\d+)-/.exec(third ?? '')?.[1]) <= size)
})

test('pull() tells how long it waits before another try', async (t) => {
  const { registry, pull } = await setUpRegistry(t)
  const [broken, busy] = registry.addImage('team/app', {
    layers: [[file('a', randomBytes(300_000))], [file('b', randomBytes(200_000))]],
    tag: '1',
  }).layers
  registry.misbehave({ on: 'blob', path: broken!.digest, how: { kind: 'cut', afterBytes: 100_000 }, times: 1 })
  registry.misbehave({ on: 'blob', path: busy!.digest, how: { kind: 'answer', status: 503, body: '' }, times: 1 })
  const retrying = (await pull('team/app:1')).filter(({ status }) => String(status).startsWith('Retrying'))
  assert.deepEqual(
    retrying.map(({ status, id }) => [status, id]).toSorted(),
    [broken, busy].map((layer) => ['Retrying in 1 second', layer!.digest.slice(7, 19)]).toSorted(),
  )
})

test('pull() refuses what is reserved, and asks nobody', async (t) => {
  const { images, registry } = await setUpRegistry(t)
  await assert.rejects(
    images.pull({ reference: 'scratch:1' }, () => {}),
    {
      kind: 'forbidden',
      message: "'scratch' is a reserved name",
    },
  )
  assert.deepEqual(registry.requests, [])
})

test('pull() without the right to a repository says that it may not be there, and asks for no login', async (t) => {
  const auth = { kind: 'token', username: 'me', password: 'secret' } as const
  const { registry, pull, left } = await setUpRegistry(t, { registry: { auth } })
  registry.addImage('team/app', twoLayers)
  for (const name of ['team/app', 'team/none']) {
    await assert.rejects(pull(`${name}:1`), {
      kind: 'notFound',
      message: `pull access denied for ${registry.host}/${name}, repository does not exist or may require 'docker login': denied: requested access to the resource is denied`,
    })
  }
  assert.deepEqual(await left(), nothingLeft)
})

test('pull() begins anew where a registry knows no ranges', async (t) => {
  const { registry, pull, images } = await setUpRegistry(t)
  const { layers } = registry.addImage('team/app', incompressible(300_000))
  const { digest } = layers[0]!
  registry.misbehave({ on: 'blob', path: digest, how: { kind: 'cut', afterBytes: 100_000 }, times: 1 })
  registry.misbehave({ on: 'blob', path: digest, how: { kind: 'ignoreRange' } })
  await pull('team/app:1')
  assert.equal((await images.resolve(`${registry.host}/team/app:1`)).sizeBytes, 300_000)
})

test('pull() that is cancelled keeps what came of a large layer for the next', async (t) => {
  const { registry, pull, images, blobRequests } = await setUpRegistry(t)
  const { layers } = registry.addImage('team/app', incompressible(3_000_000))
  const { digest } = layers[0]!
  const stalled = registry.misbehave({ on: 'blob', path: digest, how: { kind: 'stall', afterBytes: 2_000_000 } })
  const client = new AbortController()
  const request = { reference: `${registry.host}/team/app:1`, signal: client.signal }
  const pulled = images.pull(request, ({ progressDetail }) => {
    if (((progressDetail as { current?: number })?.current ?? 0) >= 1_500_000) client.abort(new Error('gone'))
  })
  await assert.rejects(pulled, /gone/)
  stalled[Symbol.dispose]()
  registry.forget()
  await pull('team/app:1')
  assert.match(blobRequests().find((line) => line.startsWith(digest)) ?? '', /bytes=[1-9]\d{6}-$/)
})

test('pull() that fails for want of space keeps nothing of the layers beside the one that failed', async (t) => {
  const { registry, pull, snapshots, left } = await setUpRegistry(t)
  const large = incompressible(3_000_000)
  const { layers } = registry.addImage('team/app', {
    ...large,
    layers: [...twoLayers.layers.slice(0, 1), ...large.layers],
  })
  const digest = layers[1]!.digest
  registry.misbehave({ on: 'blob', path: digest, how: { kind: 'stall', afterBytes: 2_000_000 } })
  const arrived = Promise.withResolvers<void>()
  t.mock.method(snapshots, 'unpack', async () => {
    await arrived.promise
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  })
  const pulled = pull('team/app:1', {}, ({ progressDetail }) => {
    if (((progressDetail as { current?: number })?.current ?? 0) >= 1_500_000) arrived.resolve()
  })
  await assert.rejects(pulled, /no space left/)
  assert.deepEqual(await left(), nothingLeft)
})

test('pull() of one goes on when another of the same is cancelled', async (t) => {
  const { registry, pull, images, blobRequests } = await setUpRegistry(t)
  const { layers } = registry.addImage('team/app', incompressible(500_000))
  const hold = Promise.withResolvers<void>()
  registry.misbehave({ on: 'blob', path: layers[0]!.digest, how: { kind: 'wait', until: hold.promise } })
  const client = new AbortController()
  const first = images.pull({ reference: `${registry.host}/team/app:1`, signal: client.signal }, () => {})
  const second = pull('team/app:1')
  while (!blobRequests().includes(layers[0]!.digest)) await new Promise((resolve) => setTimeout(resolve, 5))
  client.abort(new Error('gone'))
  await assert.rejects(first, /gone/)
  hold.resolve()
  await second
  assert.deepEqual(blobRequests().filter((line) => line.startsWith(layers[0]!.digest)).length, 1)
})

test('pull() refuses artifacts, foreign layers and other systems', async (t) => {
  const { registry, pull, left } = await setUpRegistry(t)
  const blob = registry.content.addBlob('team/odd', Buffer.from('{}'), 'application/vnd.acme.rocket')
  const odd = (tag: string, document: object) =>
    registry.content.addManifest(
      'team/odd',
      { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', ...document },
      { tag },
    )
  const config = { ...blob, mediaType: 'application/vnd.oci.image.config.v1+json' }
  const foreign = {
    ...blob,
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    urls: [`${registry.origin}/secret`],
  }
  odd('artifact', { config: blob, layers: [] })
  odd('foreign', { config, layers: [foreign] })
  odd('unknown', { config, layers: [{ ...blob, mediaType: 'application/vnd.acme.layer' }] })
  await assert.rejects(
    pull('team/odd:artifact'),
    /^EngineError: Encountered remote "application\/vnd.acme.rocket"\(unknown\) when fetching: an artifact, not an image$/,
  )
  await assert.rejects(pull('team/odd:foreign'), /is a foreign layer .*: its bytes are elsewhere, and are not fetched$/)
  await assert.rejects(pull('team/odd:unknown'), /unsupported media type "application\/vnd.acme.layer"$/)
  assert.deepEqual(
    registry.requests.filter(({ url }) => url.includes('secret')),
    [],
  )
  assert.deepEqual(await left(), nothingLeft)
})

test('pull() asks the gate before it fetches a blob', async (t) => {
  const asked: unknown[] = []
  const gate = {
    admit({ reference, target }: { reference: { path: string }; target: { digest: string } }) {
      asked.push([reference.path, target.digest])
      return Promise.reject(new Error('not signed'))
    },
  }
  const { registry, pull, blobRequests, left } = await setUpRegistry(t, { images: { gate } })
  const { manifest } = registry.addImage('team/app', twoLayers)
  await assert.rejects(pull('team/app:1'), /not signed/)
  assert.deepEqual([asked, blobRequests()], [[['team/app', manifest.digest]], []])
  assert.deepEqual(await left(), nothingLeft)
})

test('pull() does nothing offline', async (t) => {
  const { registry, pull } = await setUpRegistry(t, { settings: { isOffline: true } })
  registry.addImage('team/app', twoLayers)
  await assert.rejects(pull('team/app:1'), /the engine is offline \(--offline\): no registry is asked$/)
  assert.deepEqual(registry.requests, [])
})

test('pull() of all tags says when there are none, and does not call that up to date', async (t) => {
  const { registry, pull, left } = await setUpRegistry(t)
  registry.addImage('team/app', twoLayers)
  registry.misbehave({ on: 'tags', how: { kind: 'body', body: '{"name":"team/app","tags":null}' } })
  await assert.rejects(pull('team/app'), { kind: 'invalid', message: `no tags found for ${registry.host}/team/app` })
  assert.deepEqual(await left(), nothingLeft)
})
