import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { isDense } from './density.ts'
import { gzipBlocks } from './gzip-blocks.ts'

const words = Buffer.from(Array.from({ length: 200_000 }, (_, i) => `word${(i * 7919) % 4093} `).join(''))
const random = randomBytes(1_500_000)

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

const compress = async (bytes: Buffer, size = 65_536) =>
  Buffer.concat(await Array.fromAsync(gzipBlocks(inPieces(bytes, size))))

test('gzipBlocks() makes one member that every reader reads, of any content and length', async () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('a'), words, random, Buffer.concat([words, random, words])]) {
    const compressed = await compress(bytes)
    assert.ok(gunzipSync(compressed).equals(bytes))
    assert.ok(execFileSync('gzip', ['-dc'], { input: compressed, maxBuffer: 1 << 26 }).equals(bytes))
    assert.equal(inflateRawSync(compressed.subarray(10, -8)).length, bytes.length)
  }
})

test('gzipBlocks() depends on the bytes alone, not on how they come', async () => {
  const bytes = Buffer.concat([words, random])
  const [one, other] = [await compress(bytes, 1000), await compress(bytes, 3_000_000)]
  assert.ok(one.equals(other))
})

test('gzipBlocks() compresses words and leaves what is random as it is', async () => {
  assert.ok((await compress(words)).length < words.length / 2)
  const dense = await compress(random)
  assert.ok(dense.length > random.length && dense.length < random.length * 1.001)
})

test('gzipBlocks() takes what deflates from the caller, and stores what that makes nothing of', async () => {
  const asked: number[] = []
  const deflate = async (block: Buffer) => {
    asked.push(block.length)
    return undefined
  }
  const compressed = Buffer.concat(await Array.fromAsync(gzipBlocks(inPieces(words, 65_536), { deflate })))
  assert.equal(
    asked.reduce((sum, length) => sum + length),
    words.length,
  )
  assert.ok(compressed.length > words.length && gunzipSync(compressed).equals(words))
})

test("gzipBlocks() passes on its source's failure, and stops when its reader does", async () => {
  const state = { isClosed: false }
  async function* source(breaks: boolean): AsyncGenerator<Uint8Array> {
    try {
      for (let i = 0; ; i++) {
        if (breaks && i === 20) throw new Error('disk')
        yield words
      }
    } finally {
      state.isClosed = true
    }
  }
  await assert.rejects(Array.fromAsync(gzipBlocks(source(true))), { message: 'disk' })
  for await (const chunk of gzipBlocks(source(false))) if (chunk.length > 100) break
  assert.ok(state.isClosed)
})

test('isDense() tells what compresses from what does not', () => {
  const numbers = Buffer.from(Float64Array.from({ length: 60_000 }, (_, i) => Math.sqrt(i)).buffer)
  const base64 = Buffer.from(random.toString('base64'))
  assert.deepEqual([words, numbers, base64, random].map(isDense), [false, false, false, true])
  assert.equal(isDense(random.subarray(0, 4096)), false)
})
