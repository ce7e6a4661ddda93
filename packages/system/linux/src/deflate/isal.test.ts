import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { constants, inflateRawSync } from 'node:zlib'
import { openIsal } from './isal.ts'

const words = Buffer.from(Array.from({ length: 60_000 }, (_, i) => `word${(i * 7919) % 4093} `).join(''))

function newDeflate() {
  const isal = openIsal()
  assert.ok(isal, 'libisal2 is not installed (tools/setup installs it)')
  return isal()
}

/** None of the blocks is the last of a stream. */
const inflated = (blocks: readonly Uint8Array[]) =>
  inflateRawSync(Buffer.concat(blocks), { finishFlush: constants.Z_SYNC_FLUSH })

test('openIsal() finds nothing where there is no such library, or another one of that name', () => {
  assert.equal(openIsal('libberth-is-not-here.so.2'), undefined)
  assert.equal(openIsal('libc.so.6'), undefined)
})

test("openIsal()'s blocks follow each other at whole bytes", async () => {
  const blocks = [words, words.subarray(0, 70_000), words.subarray(7, 70_000)]
  const compressed = await Promise.all(blocks.map(newDeflate()))
  assert.ok(compressed.every((block) => block !== undefined))
  assert.ok(inflated(compressed).equals(Buffer.concat(blocks)))
  assert.ok(Buffer.concat(compressed).length < Buffer.concat(blocks).length / 2)
})

test("openIsal()'s bytes are the same each time, side by side or not, and its input stays as it was", async () => {
  const [copy, deflate] = [Buffer.from(words), newDeflate()]
  const one = await deflate(words)
  const others = await Promise.all(Array.from({ length: 9 }, () => deflate(words)))
  for (const other of [...others, await newDeflate()(words)]) assert.deepEqual(other, one)
  assert.ok(words.equals(copy))
})

test('openIsal() makes nothing of what does not get smaller', async () => {
  const deflate = newDeflate()
  assert.equal(await deflate(randomBytes(300_000)), undefined)
  assert.equal(await deflate(Buffer.from('a')), undefined)
  assert.equal(await deflate(Buffer.alloc(0)), undefined)
})
