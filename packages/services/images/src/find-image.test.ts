import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setUp, simpleArchive } from './testing/fixture.ts'

test('resolve() finds by name, id and prefix, with and without algorithm', async (t) => {
  const { load, images } = await setUp(t)
  const { id, archive } = await simpleArchive('a', ['a:latest'])
  await load(archive)
  const hex = id.slice(7)
  for (const text of [
    'a',
    'a:latest',
    'docker.io/library/a',
    'library/a:latest',
    id,
    hex,
    hex.slice(0, 12),
    id.slice(0, 15),
  ]) {
    assert.equal((await images.resolve(text)).id, id, text)
  }
})

test('resolve() says what is absent as Docker does', async (t) => {
  const { images } = await setUp(t)
  const f64 = 'f'.repeat(64)
  const table: Record<string, string> = {
    nope: 'nope:latest',
    'nope:v1': 'nope:v1',
    'docker.io/foo': 'foo:latest',
    'sha256:aaaa': 'sha256:aaaa',
    [f64]: `sha256:${f64}`,
    [`x@sha256:${f64}`]: `x@sha256:${f64}`,
  }
  for (const [text, said] of Object.entries(table)) {
    await assert.rejects(images.resolve(text), { kind: 'notFound', message: `No such image: ${said}` })
  }
  await assert.rejects(images.resolve('busybox:sha256:aaaa'), { kind: 'invalid', message: 'invalid reference format' })
})

test('resolve() takes no prefix that several ids have, and a name before a prefix', async (t) => {
  const { load, images } = await setUp(t)
  const ids: string[] = []
  for (let i = 0; i < 17; i++) {
    const { id, archive } = await simpleArchive(`f${i}`, null)
    await load(archive)
    ids.push(id.slice(7))
  }
  const [shared = ''] = ids.map((id) => id.slice(0, 1)).filter((first, i, all) => all.indexOf(first) < i)
  await assert.rejects(images.resolve(shared), { message: `No such image: ${shared}:latest` })
  const { id, archive } = await simpleArchive('named', [`${shared}:latest`])
  await load(archive)
  assert.equal((await images.resolve(shared)).id, id)
})

test('resolve() with a platform that the image is not for is notFound', async (t) => {
  const { load, images } = await setUp(t)
  await load((await simpleArchive('a', ['a:1'])).archive)
  assert.deepEqual((await images.resolve('a:1', 'linux/x86_64')).repoTags, ['a:1'])
  await assert.rejects(images.resolve('a:1', 'linux/arm64'), {
    kind: 'notFound',
    message:
      'image with reference a:1 was found but its platform (linux/amd64) does not match the specified platform (linux/arm64)',
  })
  await assert.rejects(images.resolve('a:1', 'a/b/c/d'), { kind: 'invalid' })
})

test('openImages() finds everything again', async (t) => {
  const { load, images, reopen } = await setUp(t)
  const { id, archive } = await simpleArchive('a', ['a:1'], { config: { Labels: { __proto__x: 'y' } } })
  await load(archive)
  await images.tag('a:1', 'b:2')
  const again = await reopen()
  assert.deepEqual(await again.resolve(id), await images.resolve(id))
  assert.deepEqual(again.gcRoots(), images.gcRoots())
})
