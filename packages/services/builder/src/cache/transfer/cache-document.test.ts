import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Digest } from '@berth/oci'
import type { DoneStep } from '../../stages/stage-state.ts'
import { buildCacheDocument, parseCacheDocument, parseInlineRecords } from './cache-document.ts'
import { inlineCache } from './export-cache.ts'

const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}` as Digest
const createdAt = '2026-01-02T03:04:05.000000000Z'
const mediaType = 'application/vnd.oci.image.layer.v1.tar'

const layer = (letter: string, chain: string) => ({
  descriptor: { mediaType, digest: digest(letter), size: 7 },
  diffId: digest(letter),
  chainId: digest(chain),
  sizeBytes: 1,
})
const base = layer('a', '1')
const own = layer('b', '2')
const steps: readonly DoneStep[] = [
  { key: digest('e'), description: 'ENV A=1', createdAt, layer: undefined, layers: [base] },
  { key: digest('f'), description: 'RUN x', createdAt, layer: own, layers: [base, own] },
]
const expected = [
  [digest('e'), { createdAt, description: 'ENV A=1', layer: undefined }],
  [digest('f'), { createdAt, description: 'RUN x', layer: { descriptor: own.descriptor, diffId: own.diffId } }],
]

test('parseCacheDocument() reads what buildCacheDocument() writes, each layer once and on its parent', () => {
  const placed = new Map([base, own].map(({ chainId, descriptor }) => [chainId, descriptor]))
  const document = buildCacheDocument(steps, placed)
  assert.deepEqual(
    document.layers.map(({ blob, parent }) => [blob, parent]),
    [
      [digest('a'), -1],
      [digest('b'), 0],
    ],
  )
  assert.deepEqual([...parseCacheDocument(Buffer.from(JSON.stringify(document)))], expected)
})

test('parseInlineRecords() reads what inlineCache() writes, with the layers of the image', () => {
  const text = inlineCache(steps, [base.chainId, own.chainId])
  const layers = [base, own].map(({ descriptor, diffId }) => ({ descriptor, diffId }))
  assert.deepEqual([...parseInlineRecords(text, layers)], expected)
})

test("parseInlineRecords() takes BuildKit's own records, of which none is ours", () => {
  const records = [
    { digest: digest('a') },
    { layers: [{ layer: 1, createdAt }], digest: digest('b'), inputs: [[{ selector: digest('c'), link: 2 }]] },
    { digest: digest('d'), inputs: [[{ link: 1 }], [{ link: 0 }]] },
  ]
  assert.equal(parseInlineRecords(Buffer.from(JSON.stringify(records)).toString('base64'), []).size, 0)
})

const hostile: readonly [unknown, RegExp][] = [
  ['[]', /cache config: expected an object/],
  [{ records: {} }, /cache config.records: expected an array/],
  [{ records: [{ digest: '../../etc/passwd' }] }, /cache config.records\[0\].digest/],
  [{ layers: [{ blob: 'sha256:x' }] }, /cache config.layers\[0\].blob/],
  [{ records: [{ digest: digest('a'), layers: [{ layer: '0' }] }] }, /expected an integer/],
]

for (const [document, message] of hostile) {
  test(`parseCacheDocument() refuses ${JSON.stringify(document)}`, () => {
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    assert.throws(() => parseCacheDocument(Buffer.from(text)), message)
  })
}

test('parseCacheDocument() passes over steps whose layer is not among the layers', () => {
  const own = { createdAt, digest: digest('a') }
  for (const number of [-1, 0, 2 ** 40]) {
    const document = { records: [{ ...own, layers: [{ layer: number }] }] }
    assert.equal(parseCacheDocument(Buffer.from(JSON.stringify(document))).size, 0)
  }
})
