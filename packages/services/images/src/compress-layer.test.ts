import { openIsal } from '@berth/linux'
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { compressLayer, layerCompressor } from './compress-layer.ts'

const words = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `word${(i * 7919) % 4093} `).join(''))
const bytes = Buffer.concat([words, randomBytes(1_500_000), words.subarray(0, 300), Buffer.alloc(2_000_000)])

async function* whole(): AsyncGenerator<Uint8Array> {
  yield bytes
}

const compressed = async () => Buffer.concat(await Array.fromAsync(compressLayer(whole())))

test('compressLayer() makes one member that every reader reads, the same each time', async () => {
  const one = await compressed()
  assert.ok(gunzipSync(one).equals(bytes))
  assert.ok(execFileSync('gzip', ['-dc'], { input: one, maxBuffer: 1 << 26 }).equals(bytes))
  assert.ok(one.length < 1_500_000 + words.length / 2)
  assert.ok((await compressed()).equals(one))
})

test('layerCompressor() says by what', () => {
  assert.equal(layerCompressor(), openIsal() ? 'isa-l' : 'zlib')
})
