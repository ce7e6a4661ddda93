import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Filters } from '@berth/base'
import { blobPath, build, blob, json, layerOf, setUp, tarOf } from './testing/fixture.ts'

/** base <- child (tagged twice), other (labelled), and one without a name; each made a day after the one before. */
async function fourImages(t: TestContext) {
  const fixture = await setUp(t)
  const on = (day: number) => ({ created: `2024-01-0${day}T00:00:00Z`, history: [] })
  const base = build([await layerOf('base')], on(1))
  const child = build([...base.layers, await layerOf('child')], on(2))
  const other = build([await layerOf('other')], { ...on(3), config: { Labels: { tier: 'front', x: '' } } })
  const bare = build([await layerOf('bare')], on(4))
  const item = (of: typeof base, RepoTags: string[] | null, rest = {}) => ({
    Config: blobPath(of.configBytes),
    RepoTags,
    Layers: of.layers.map(blobPath),
    ...rest,
  })
  const items = [
    item(base, null),
    item(child, ['c/child:1', 'other:2'], { Parent: base.id }),
    item(other, ['other:1']),
    item(bare, null),
  ]
  const parts = [base, child, other, bare].flatMap(({ configBytes, layers }) => [configBytes, ...layers].map(blob))
  // A child's history is its parent's and one step more; having none at all passes too.
  await fixture.load([await tarOf(json('manifest.json', items), ...parts)])
  const names = new Map([
    [base.id, 'base'],
    [child.id, 'child'],
    [other.id, 'other'],
    [bare.id, 'bare'],
  ])
  const list = async (filters: Filters = {}, all = false) =>
    (await fixture.images.list({ filters, all }))
      .map(({ id, repoTags }) => [names.get(id), ...repoTags].join(' '))
      .join(', ')
  return { ...fixture, list, ids: { base: base.id, child: child.id, other: other.id, bare: bare.id } }
}

test('list() has every filter of Docker', async (t) => {
  const { list } = await fourImages(t)
  const table: readonly (readonly [Filters, string])[] = [
    [{}, 'bare, other other:1, child c/child:1 other:2'],
    [{ dangling: ['true'] }, 'bare'],
    [{ dangling: ['0'] }, 'other other:1, child c/child:1 other:2'],
    [{ reference: ['other'] }, 'other other:1, child other:2'],
    [{ reference: ['*'] }, 'other other:1, child other:2'],
    [{ reference: ['*/*'] }, 'child c/child:1'],
    [{ reference: ['other:1', 'c/chil?'] }, 'other other:1, child c/child:1'],
    [{ reference: ['nope'] }, ''],
    [{ reference: ['other'], dangling: ['true'] }, ''],
    [{ label: ['tier'] }, 'other other:1'],
    [{ label: ['tier=front', 'x'] }, 'other other:1'],
    [{ label: ['tier=back'] }, ''],
    [{ before: ['other:1'] }, 'child c/child:1 other:2'],
    [{ since: ['other:2'] }, 'bare, other other:1'],
    [{ since: ['other:2'], until: ['2024-01-04'] }, 'other other:1'],
    [{ until: ['2024-01-03'] }, 'child c/child:1 other:2'],
    [{ until: ['1h'] }, 'bare, other other:1, child c/child:1 other:2'],
  ]
  for (const [filters, expected] of table) assert.equal(await list(filters), expected, JSON.stringify(filters))
  assert.equal(await list({}, true), 'bare, other other:1, child c/child:1 other:2, base')
})

test('list() refuses filters that are unknown or malformed', async (t) => {
  const { list } = await fourImages(t)
  const table: readonly (readonly [Filters, string, string])[] = [
    [{ foo: ['x'] }, 'invalid', "invalid filter 'foo'"],
    [{ 'label!': ['x'] }, 'invalid', "invalid filter 'label!'"],
    [{ dangling: ['x'] }, 'invalid', "invalid filter 'dangling=[x]'"],
    [{ dangling: ['true', 'false'] }, 'invalid', "invalid filter 'dangling=[true false]'"],
    [{ before: ['nope'] }, 'notFound', 'No such image: nope:latest'],
    [{ reference: ['['] }, 'invalid', 'syntax error in pattern'],
    [{ until: ['x'] }, 'invalid', 'failed to parse value as time or duration: "x"'],
  ]
  for (const [filters, kind, message] of table) await assert.rejects(list(filters), { kind, message })
})

test('history() names the steps that are images here', async (t) => {
  const { images, load } = await setUp(t)
  const base = build([await layerOf('base')])
  const history = [
    { created: '2024-01-01T00:00:00Z', created_by: 'step 0' },
    { created: '2024-01-02T00:00:00Z', created_by: 'ENV x', empty_layer: true, comment: 'none' },
  ]
  const child = build(base.layers, { history })
  const item = (of: typeof base, tag: string, rest = {}) => ({
    Config: blobPath(of.configBytes),
    RepoTags: [tag],
    Layers: of.layers.map(blobPath),
    ...rest,
  })
  const items = [item(base, 'base:1'), item(child, 'child:1', { Parent: base.id })]
  const parts = [base.configBytes, child.configBytes, ...child.layers].map(blob)
  await load([await tarOf(json('manifest.json', items), ...parts)])
  assert.deepEqual(await images.history('child:1'), [
    { Id: child.id, Created: 1704153600, CreatedBy: 'ENV x', Tags: ['child:1'], Size: 0, Comment: 'none' },
    { Id: base.id, Created: 1704067200, CreatedBy: 'step 0', Tags: ['base:1'], Size: 4, Comment: '' },
  ])
})
