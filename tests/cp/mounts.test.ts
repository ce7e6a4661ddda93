// Copies into and out of volumes and binds, in every state of their container. dockerd passes it too (BERTH_TEST_HOST).
import { demultiplex, packTar, readTar, useEngine } from '@berth/testing'
import assert from 'node:assert/strict'
import { buffer } from 'node:stream/consumers'
import { describe, test } from 'node:test'

const engine = useEngine()
const one = packTar([{ path: 'new', content: 'hello' }])
const at = (id: string, path: string) => `/containers/${id}/archive?path=${encodeURIComponent(path)}`

async function create(HostConfig: object, Cmd = ['sleep', '1000']): Promise<string> {
  const body = { Image: 'busybox', Cmd, HostConfig }
  return ((await engine.api.json('POST', `/containers/create?name=${engine.name()}`, body)) as { Id: string }).Id
}

const remove = (id: string) => engine.api.request('DELETE', `/containers/${id}?force=1&v=1`)

async function put(id: string, path: string, body = one): Promise<string> {
  const { status, text } = await engine.api.request('PUT', at(id, path), body, {
    headers: { 'Content-Type': 'application/x-tar' },
  })
  return status === 200 ? 'done' : (JSON.parse(text) as { message: string }).message
}

async function read(id: string, path: string): Promise<string | undefined> {
  const { status, body } = await engine.api.open('GET', at(id, path))
  if (status !== 200) return void body.resume()
  for await (const member of readTar(body)) return Buffer.concat(await Array.fromAsync(member.content())).toString()
  return ''
}

async function run(HostConfig: object, script: string): Promise<string> {
  const id = await create(HostConfig, ['sh', '-c', script])
  await engine.api.json('POST', `/containers/${id}/start`)
  await engine.api.json('POST', `/containers/${id}/wait`)
  const { body } = await engine.api.open('GET', `/containers/${id}/logs?stdout=1`)
  const { stdout } = demultiplex(await buffer(body))
  await remove(id)
  return stdout
}

describe('volumes and binds', () => {
  for (const state of ['created', 'running', 'stopped'] as const) {
    test(`a volume of a ${state} container`, async () => {
      const volume = engine.name()
      const host = { Binds: [`${volume}:/v`] }
      const id = await create(host)
      if (state !== 'created') await engine.api.json('POST', `/containers/${id}/start`)
      if (state === 'stopped') await engine.api.json('POST', `/containers/${id}/kill`)
      assert.equal(await put(id, '/v'), 'done')
      assert.equal(await read(id, '/v/new'), 'hello')
      assert.equal(await run(host, 'cat /v/new'), 'hello')
      const { text } = await engine.api.request('GET', `/containers/${id}/changes`)
      assert.doesNotMatch(text, /new/, 'the volume is no part of the container’s own files')
      await remove(id)
      await engine.api.json('DELETE', `/volumes/${volume}`)
    })
  }

  test('a read-only volume refuses, wherever the copy begins', async () => {
    const volume = engine.name()
    const id = await create({ Binds: [`${volume}:/v:ro`] })
    assert.equal(await put(id, '/v'), 'mounted volume is marked read-only')
    assert.match(await put(id, '/', packTar([{ path: 'v/new', content: 'x' }])), /read-only file system/)
    assert.equal(await read(id, '/v/new'), undefined)
    await remove(id)
    await engine.api.json('DELETE', `/volumes/${volume}`)
  })

  test('a writable volume takes files though the root is read-only', async () => {
    const volume = engine.name()
    const id = await create({ Binds: [`${volume}:/v`], ReadonlyRootfs: true })
    assert.equal(await put(id, '/v'), 'done')
    assert.equal(await put(id, '/tmp'), 'container rootfs is marked read-only')
    await remove(id)
    await engine.api.json('DELETE', `/volumes/${volume}`)
  })

  test('a mounted directory is not replaced', async () => {
    const volume = engine.name()
    const id = await create({ Binds: [`${volume}:/a/v`] })
    await put(id, '/a/v')
    assert.match(await put(id, '/a', packTar([{ path: 'v', content: 'x' }])), /device or resource busy/)
    // dockerd says so when it has emptied the volume.
    if (!process.env['BERTH_TEST_HOST']) assert.equal(await read(id, '/a/v/new'), 'hello')
    await remove(id)
    await engine.api.json('DELETE', `/volumes/${volume}`)
  })

  test('a volume inside a volume, and a part of one', async () => {
    const [outer, inner] = [engine.name(), engine.name()]
    assert.equal(await run({ Binds: [`${outer}:/v`] }, 'mkdir -p /v/part/deep'), '')
    const id = await create({
      Binds: [`${inner}:/v/inner`, `${outer}:/v`],
      Mounts: [{ Type: 'volume', Source: outer, Target: '/p', VolumeOptions: { Subpath: 'part' } }],
    })
    assert.equal(await put(id, '/v/inner'), 'done')
    assert.equal(await put(id, '/p/deep', packTar([{ path: 'f', content: 'part' }])), 'done')
    assert.equal(await read(id, '/v/part/deep/f'), 'part')
    assert.equal(
      await run({ Binds: [`${inner}:/i`, `${outer}:/o`] }, 'cat /i/new /o/part/deep/f; ls /o/inner'),
      'hellopart',
    )
    await remove(id)
    for (const name of [outer, inner]) await engine.api.json('DELETE', `/volumes/${name}`)
  })

  test('a volume of a device of its own is mounted for the copy', async () => {
    const volume = engine.name()
    const DriverOpts = { type: 'tmpfs', device: 'tmpfs', o: 'size=1m' }
    await engine.api.json('POST', '/volumes/create', { Name: volume, Driver: 'local', DriverOpts })
    const id = await create({ Binds: [`${volume}:/v`] })
    await engine.api.json('POST', `/containers/${id}/start`)
    assert.equal(await put(id, '/v'), 'done')
    const exec = { Cmd: ['cat', '/v/new'], AttachStdout: true, Tty: true }
    const { Id } = (await engine.api.json('POST', `/containers/${id}/exec`, exec)) as { Id: string }
    assert.match((await engine.api.request('POST', `/exec/${Id}/start`, { Tty: true })).text, /hello/)
    await remove(id)
    await engine.api.json('DELETE', `/volumes/${volume}`)
  })
})
