import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type FixtureFile, type FixtureImage, imageArchive, layerOf, packTar, useEngine } from '@berth/testing'

const engine = useEngine()
const canary = `/tmp/berth-canary-${process.pid}`

const up = '../'.repeat(30)
const layers: Readonly<Record<string, readonly FixtureFile[]>> = {
  'a parent path': [{ path: `${up}${canary}`, content: 'out' }],
  'an absolute path': [{ path: canary, content: 'out' }],
  'a path in the middle': [{ path: `a/${up}${canary}`, content: 'out' }],
  'a symlink out, then a file through it': [
    { path: 'door', link: '/tmp' },
    { path: `door/${canary.slice(5)}`, content: 'out' },
  ],
  'a relative symlink out': [
    { path: 'door', link: `${up}tmp` },
    { path: `door/${canary.slice(5)}`, content: 'out' },
  ],
  'a chain of symlinks': [
    { path: 'a', link: 'b' },
    { path: 'b', link: '/tmp' },
    { path: `a/${canary.slice(5)}`, content: 'out' },
  ],
  'a hard link to the host': [
    { path: 'passwd', hardlink: `${up}etc/passwd` },
    { path: 'passwd', content: 'out' },
  ],
  'a hard link through a symlink': [
    { path: 'etc', link: '/etc' },
    { path: 'p', hardlink: 'etc/passwd' },
  ],
  'a whiteout of the parent': [{ path: 'a/.wh...', content: '' }],
  'a whiteout of itself': [{ path: '.wh..', content: '' }],
  'a whiteout through a symlink': [
    { path: 'door', link: '/etc' },
    { path: 'door/.wh.passwd', content: '' },
  ],
  'a file over a directory': [{ path: 'd/' }, { path: 'd/x', content: '1' }, { path: 'd', content: 'file' }],
  'an owner of 2^32': [{ path: 'f', content: 'x', uid: 2 ** 32, gid: 2 ** 32 }],
  'a very long name': [{ path: `${'n'.repeat(300)}/${'m'.repeat(300)}`, content: 'x' }],
}

async function archiveOf(files: readonly FixtureFile[], overrides: Partial<FixtureImage> = {}): Promise<Buffer> {
  const image = { reference: 'hostile:x', layers: [layerOf(files)], config: { Cmd: ['/x'] }, ...overrides }
  return Buffer.concat(await Array.fromAsync(imageArchive(image)))
}

const load = (archive: Buffer) =>
  engine.api.request('POST', '/images/load?quiet=1', archive, { headers: { 'Content-Type': 'application/x-tar' } })

/** Loads and, where that is accepted, runs: whatever happens must stay inside. */
async function provoke(archive: Buffer): Promise<void> {
  const passwd = readFileSync('/etc/passwd', 'utf8')
  const loaded = await load(archive)
  assert.notEqual(loaded.status, 0)
  const created = await engine.api.request('POST', `/containers/create?name=${engine.name()}`, { Image: 'hostile:x' })
  if (created.status === 201) {
    const { Id } = JSON.parse(created.text) as { Id: string }
    await engine.api.request('POST', `/containers/${Id}/start`)
    await engine.api.request('DELETE', `/containers/${Id}?force=1`)
  }
  await engine.api.request('DELETE', '/images/hostile:x?force=1')
  assert.equal(existsSync(canary), false, 'a file on the host')
  assert.equal(readFileSync('/etc/passwd', 'utf8'), passwd)
  assert.equal(await engine.api.ping(), true)
}

for (const [what, files] of Object.entries(layers)) {
  test(`a layer with ${what} stays inside`, async () => provoke(await archiveOf(files)))
}

test('a torn archive is refused at every length, and leaves no image', async () => {
  const whole = await archiveOf([{ path: 'file', content: 'x'.repeat(3000) }])
  for (const length of [0, 1, 511, 512, 700, 1536, 4000, whole.length - 2000]) {
    const answer = await load(whole.subarray(0, length))
    assert.ok(answer.status >= 400 || answer.text.includes('error'), `${length} bytes: ${answer.status} ${answer.text}`)
    assert.equal((await engine.api.request('GET', '/images/hostile:x/json')).status, 404, `${length} bytes`)
  }
})

test('an archive with one flipped bit in its layer is refused', async () => {
  const archive = await archiveOf([{ path: 'file', content: 'precious'.repeat(100) }])
  archive[archive.indexOf('precious') + 40]! ^= 1
  const answer = await load(archive)
  assert.ok(answer.status >= 400 || answer.text.includes('error'), answer.text)
  assert.equal((await engine.api.request('GET', '/images/hostile:x/json')).status, 404)
})

test('manifests that are no manifests are refused with a reason', async () => {
  const documents = [
    '',
    '{',
    '[null]',
    '[{}]',
    '[{"Config":"../../etc/passwd","Layers":[]}]',
    '[{"Config":7}]',
    '[{"Config":"a.json","RepoTags":["Bad Name"],"Layers":["x"]}]',
    `[${'['.repeat(100_000)}`,
  ]
  for (const document of documents) {
    const answer = await load(packTar([{ path: 'manifest.json', content: document }]))
    assert.ok(
      answer.status >= 400 || answer.text.includes('error'),
      `${document.slice(0, 40)}: ${answer.status} ${answer.text}`,
    )
  }
  assert.equal(await engine.api.ping(), true)
})

test('configurations that are hostile are refused, or harm nobody', async () => {
  const configs = [
    { User: '4294967296' },
    { User: '2147483648' },
    { WorkingDir: '/proc/self/fd/7' },
    { Volumes: { '/proc': {} } },
    { Volumes: { '/../../etc': {} } },
    { Env: ['=x', '\0'] },
    { Cmd: 'not a list' },
    { Entrypoint: [7] },
  ]
  for (const config of configs) {
    const files = [{ path: 'x', content: '#!/bin/true', mode: 0o755 }]
    await provoke(await archiveOf(files, { config: config as Record<string, unknown> }))
  }
})

test('a compressed bomb does not take the memory or the disk', async () => {
  const bomb = gzipSync(Buffer.alloc(64 << 20))
  const answer = await load(bomb)
  assert.ok(answer.status >= 400 || answer.text.includes('error'), answer.text)
  assert.equal(await engine.api.ping(), true)
})

test('nothing of a refused archive is left in the data root', async (t) => {
  if (!engine.daemon) return t.skip('another engine’s data root')
  const list = async (): Promise<unknown> => engine.api.json('GET', '/images/json?all=1')
  const before = await list()
  await load((await archiveOf([{ path: 'f', content: 'x'.repeat(100_000) }])).subarray(0, 60_000))
  assert.deepEqual(await list(), before)
  assert.ok(existsSync(join(engine.daemon.dataRoot)))
})
