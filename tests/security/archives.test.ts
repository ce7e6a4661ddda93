// Archives whose documents lie: about what they are, where their parts lie, how many there are.
import { type FixtureFile, fixtureImage, imageArchive, layerOf, packTar, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadImage, tryRun } from './probe.ts'

const folder = mkdtempSync(join(tmpdir(), 'berth-spy-'))
const recorded = join(folder, 'environment')
const spy = join(folder, 'spy')
writeFileSync(spy, `#!/bin/sh\nenv >> ${recorded}\nexec crun "$@"\n`)
chmodSync(spy, 0o755)
chmodSync(folder, 0o755)
after(() => rmSync(folder, { recursive: true }))

const engine = useEngine({ args: ['--add-runtime', `spy=${spy}`], env: { LD_PRELOAD_OF_BERTHD: 'kept' } })

const load = (archive: Buffer) =>
  engine.api.request('POST', '/images/load?quiet=1', archive, { headers: { 'Content-Type': 'application/x-tar' } })

const list = (): Promise<unknown> => engine.api.json('GET', '/images/json?all=1')

async function refuses(files: readonly FixtureFile[], what: string): Promise<void> {
  const before = await list()
  const { status, text } = await load(packTar(files))
  assert.ok(status >= 400 || text.includes('"error"'), `${what}: ${status} ${text}`)
  assert.doesNotMatch(text, /root:/, what)
  assert.deepEqual(await list(), before, what)
}

const digestOf = (content: string): string => createHash('sha256').update(content).digest('hex')
const json = (value: unknown): string => JSON.stringify(value)
const type = (name: string): string => `application/vnd.oci.image.${name}`
const layout = { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' }
const blob = (content: string): FixtureFile => ({ path: `blobs/sha256/${digestOf(content)}`, content })
const descriptor = (mediaType: string, content: string) => ({
  mediaType,
  digest: `sha256:${digestOf(content)}`,
  size: Buffer.byteLength(content),
})

const layer = packTar([{ path: 'f', content: 'x' }]).toString('latin1')
const config = json({
  architecture: 'amd64',
  os: 'linux',
  config: {},
  rootfs: { type: 'layers', diff_ids: [`sha256:${digestOf(layer)}`] },
})
const parts = { config: descriptor(type('config.v1+json'), config), layers: [descriptor(type('layer.v1.tar'), layer)] }

test('a document that is a manifest and an index at once is refused', async () => {
  const other = descriptor(type('manifest.v1+json'), '{}')
  for (const mediaType of [type('manifest.v1+json'), type('index.v1+json'), undefined]) {
    const both = json({ schemaVersion: 2, mediaType, ...parts, manifests: [other] })
    for (const claimed of [type('manifest.v1+json'), type('index.v1+json')]) {
      const index = json({ schemaVersion: 2, manifests: [descriptor(claimed, both)] })
      await refuses(
        [layout, { path: 'index.json', content: index }, blob(both), blob(config), blob(layer)],
        `${mediaType} as ${claimed}`,
      )
    }
  }
})

test('a document that is not what its descriptor says is refused', async () => {
  const manifest = json({ schemaVersion: 2, mediaType: type('manifest.v1+json'), ...parts })
  const good = descriptor(type('manifest.v1+json'), manifest)
  const lies: Readonly<Record<string, object>> = {
    'another type': { ...good, mediaType: type('index.v1+json') },
    'another size': { ...good, size: good.size + 1 },
    'a size beyond measure': { ...good, size: 2 ** 60 },
    'a size below zero': { ...good, size: -1 },
    'a digest that climbs': { ...good, digest: 'sha256:../../../../../../etc/passwd' },
    'a digest of another length': { ...good, digest: 'sha256:abc' },
    'a digest of another kind': { ...good, digest: `md5:${'0'.repeat(32)}` },
    'a digest with a path': { ...good, digest: `sha256/../../x:${'0'.repeat(64)}` },
  }
  for (const [what, lie] of Object.entries(lies)) {
    const index = json({ schemaVersion: 2, manifests: [lie] })
    await refuses([layout, { path: 'index.json', content: index }, blob(manifest), blob(config), blob(layer)], what)
  }
})

test('names in a manifest lead to members of the archive only', async () => {
  const item = { Config: 'c.json', RepoTags: ['x:1'], Layers: ['l.tar'] }
  const members = [
    { path: 'c.json', content: config },
    { path: 'l.tar', content: Buffer.from(layer, 'latin1') },
  ]
  const lies: Readonly<Record<string, object>> = {
    'a config of the host': { ...item, Config: '/etc/passwd' },
    'a config that climbs': { ...item, Config: '../../../../../../etc/passwd' },
    'a layer of the host': { ...item, Layers: ['/etc/passwd'] },
    'a layer that climbs': { ...item, Layers: ['../../../../../../etc/passwd'] },
    'a layer that is a directory': { ...item, Layers: ['..'] },
    'a tag that climbs': { ...item, RepoTags: ['../../x:1'] },
    'a tag with an option': { ...item, RepoTags: ['--x:1'] },
    'a layer too many': { ...item, Layers: ['l.tar', 'l.tar'] },
    'no layer': { ...item, Layers: [] },
  }
  for (const [what, lie] of Object.entries(lies))
    await refuses([...members, { path: 'manifest.json', content: json([lie]) }], what)
  const linked = [
    { path: 'c.json', link: '/etc/passwd' },
    members[1]!,
    { path: 'manifest.json', content: json([item]) },
  ]
  await refuses(linked, 'a config that is a link to the host')
  const outside = [
    members[0]!,
    { path: 'l.tar', link: '../../../../../../etc/passwd' },
    { path: 'manifest.json', content: json([item]) },
  ]
  await refuses(outside, 'a layer that is a link to the host')
})

test('an image of 127 layers runs, one of more is refused', async () => {
  const busybox = await fixtureImage('busybox')
  const more = Array.from({ length: 127 }, (_, index) => layerOf([{ path: `l${index}`, content: '' }]))
  const archive = async (count: number): Promise<Buffer> => {
    const image = { ...busybox, reference: `layers:${count}`, layers: [...busybox.layers, ...more].slice(0, count) }
    return Buffer.concat(await Array.fromAsync(imageArchive(image)))
  }
  const loaded = await load(await archive(127))
  assert.equal(loaded.status, 200, loaded.text)
  assert.equal((await tryRun(engine, { Image: 'layers:127', Cmd: ['ls', '/l125'] })).output, '/l125')
  const refused = await load(await archive(128))
  assert.ok(refused.status >= 400 || refused.text.includes('"error"'), refused.text)
})

test('a configuration is bounded however it grows', async () => {
  const huge: Readonly<Record<string, object>> = {
    'a million variables': { Env: Array.from({ length: 1_000_000 }, (_, index) => `A${index}=x`) },
    'a variable of megabytes': { Env: [`A=${'x'.repeat(12 << 20)}`] },
    'a million labels': {
      Labels: Object.fromEntries(Array.from({ length: 1_000_000 }, (_, index) => [`l${index}`, 'x'])),
    },
  }
  for (const [what, fields] of Object.entries(huge)) {
    const document = json({ ...(JSON.parse(config) as object), config: fields })
    const members = [
      { path: 'c.json', content: document },
      { path: 'l.tar', content: Buffer.from(layer, 'latin1') },
    ]
    await refuses(
      [...members, { path: 'manifest.json', content: json([{ Config: 'c.json', RepoTags: null, Layers: ['l.tar'] }]) }],
      what,
    )
  }
})

test('no variable of an image, a container or an exec reaches a program on the host', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s runtime')
  const Env = ['LD_PRELOAD=/evil.so', 'LD_LIBRARY_PATH=/evil', 'NODE_OPTIONS=--evil', 'PATH=/evil:/bin']
  const evil = { path: 'evil/crun', content: '#!/bin/sh\n', mode: 0o755 }
  const Image = await loadImage(engine, [evil], { config: { Env, Cmd: ['true'] } })
  const body = { Image, Cmd: ['/bin/sleep', '100'], Env, HostConfig: { Runtime: 'spy', Init: true } }
  const created = (await engine.api.json('POST', '/containers/create', body)) as { Id: string }
  const started = await engine.api.request('POST', `/containers/${created.Id}/start`)
  assert.ok(started.status === 204 || /no init program/.test(started.text), started.text)
  if (started.status === 204) {
    const { Id } = (await engine.api.json('POST', `/containers/${created.Id}/exec`, { Cmd: ['/bin/true'], Env })) as {
      Id: string
    }
    await engine.api.request('POST', `/exec/${Id}/start`, { Detach: true })
    await engine.api.json('POST', `/containers/${created.Id}/update`, { Memory: 64 << 20, MemorySwap: 64 << 20 })
  }
  await engine.api.request('DELETE', `/containers/${created.Id}?force=1`)
  assert.ok(existsSync(recorded))
  assert.doesNotMatch(readFileSync(recorded, 'utf8'), /evil|LD_|NODE_OPTIONS/)
})
