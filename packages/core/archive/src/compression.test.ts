import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import * as zlib from 'node:zlib'
import { createCompressor, decompress, defaultDecompressionLimits, detectCompression } from './compression.ts'

async function* chunks(bytes: Uint8Array, size = 1000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(source))
}

const plain = Buffer.alloc(100_000, 'layers upon layers ')
const samples = {
  none: plain,
  gzip: zlib.gzipSync(plain),
  zstd: zlib.zstdCompressSync(plain),
  xz: execFileSync('xz', ['-c'], { input: plain }),
  bzip2: execFileSync('bzip2', ['-c'], { input: plain }),
}

for (const [name, bytes] of Object.entries(samples)) {
  test(`decompress() reads ${name}, in chunks of any size`, async () => {
    assert.equal(detectCompression(bytes.subarray(0, 6)), name)
    assert.ok(plain.equals(await collect(decompress(chunks(bytes)))))
    assert.ok(plain.equals(await collect(decompress(chunks(bytes, bytes.length)))))
  })
}

test('decompress() finds the format in a first chunk of one byte', async () => {
  assert.ok(plain.equals(await collect(decompress(chunks(samples.zstd, 1)))))
})

test('decompress() reads several members as one stream', async () => {
  const [a, b] = [Buffer.from('first '), Buffer.from('second')]
  const gzip = Buffer.concat([zlib.gzipSync(a), zlib.gzipSync(b)])
  const zstd = Buffer.concat([zlib.zstdCompressSync(a), zlib.zstdCompressSync(b)])
  assert.equal(String(await collect(decompress(chunks(gzip)))), 'first second')
  assert.equal(String(await collect(decompress(chunks(zstd)))), 'first second')
})

for (const name of ['gzip', 'zstd', 'xz', 'bzip2'] as const) {
  test(`decompress() refuses a truncated ${name} stream`, async () => {
    const cut = samples[name].subarray(0, samples[name].length - 5)
    await assert.rejects(collect(decompress(chunks(cut))), { kind: 'invalid', message: new RegExp(name) })
  })
}

test('decompress() refuses more than maxBytes', async () => {
  const limits = { ...defaultDecompressionLimits, maxBytes: 50_000 }
  await assert.rejects(collect(decompress(chunks(samples.gzip), limits)), {
    message: 'gzip: more than 50000 bytes come out',
  })
})

test('decompress() refuses a ratio that only a bomb has', async () => {
  const limits = { ...defaultDecompressionLimits, maxRatio: 100, ratioGraceBytes: 1000 }
  const bomb = zlib.zstdCompressSync(Buffer.alloc(8 << 20))
  await assert.rejects(collect(decompress(chunks(bomb), limits)), { message: /a ratio of more than 100/ })
})

async function* broken(): AsyncGenerator<Uint8Array> {
  yield samples.gzip.subarray(0, 100)
  throw new Error('disk')
}

test("decompress() passes on its source's failure", async () => {
  await assert.rejects(collect(decompress(broken())), { message: 'disk' })
})

test('decompress() of an empty source is empty', async () => {
  assert.equal((await collect(decompress(chunks(Buffer.alloc(0))))).length, 0)
})

test('createCompressor() makes what decompress() reads', async () => {
  for (const name of ['gzip', 'zstd'] as const) {
    const compressor = createCompressor(name)
    compressor.end(plain)
    assert.ok(plain.equals(await collect(decompress(compressor))))
  }
})
