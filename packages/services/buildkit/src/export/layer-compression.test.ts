import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUnusual, layerCompression } from './layer-compression.ts'

test('layerCompression() is gzip as a push makes it where nothing is said', () => {
  const usual = layerCompression({})
  assert.deepEqual(usual, { algorithm: 'gzip', level: undefined, isForced: false })
  assert.equal(isUnusual(usual), false)
})

test('layerCompression() takes algorithm, level and force', () => {
  const asked = { compression: 'zstd', 'compression-level': '19', 'force-compression': '1' }
  assert.deepEqual(layerCompression(asked), { algorithm: 'zstd', level: 19, isForced: true })
  const unusual: Record<string, string>[] = [
    { compression: 'uncompressed' },
    { 'compression-level': '0' },
    { 'force-compression': 'T' },
  ]
  for (const attributes of unusual) assert.equal(isUnusual(layerCompression(attributes)), true)
})

test('layerCompression() refuses what is none', () => {
  const wrong = [
    [{ compression: 'constructor' }, 'unsupported compression constructor'],
    [{ compression: '' }, 'unsupported compression '],
    [{ 'compression-level': '1.5' }, 'non-integer value 1.5 specified for compression-level'],
    [{ compression: 'zstd', 'compression-level': '20' }, 'compression-level 20 is none of zstd: 1 to 19'],
    [{ 'compression-level': '-1' }, 'compression-level -1 is none of gzip: 0 to 9'],
    [{ 'force-compression': 'yes' }, 'non-bool value yes specified for force-compression'],
  ] as const
  for (const [attributes, message] of wrong) assert.throws(() => layerCompression(attributes), { message })
})
