import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FileHandle } from 'node:fs/promises'
import { FileWriter } from './file-writer.ts'

/** A file that takes at most so many bytes at a time, and fails after so many. */
function fakeFile(atOnce: number, full = Number.POSITIVE_INFINITY) {
  const taken: Buffer[] = []
  const bytes = () => Buffer.concat(taken)
  const writev = async (chunks: readonly Uint8Array[]) => {
    await Promise.resolve()
    const some = Buffer.concat(chunks).subarray(0, atOnce)
    if (bytes().length + some.length > full) throw Object.assign(new Error('full'), { code: 'ENOSPC' })
    taken.push(some)
    return { bytesWritten: some.length }
  }
  return { file: { writev } as unknown as FileHandle, bytes, writes: taken }
}

const chunks = Array.from({ length: 100 }, (_, i) => Buffer.alloc(20_000, i))

test('FileWriter writes everything in order, however little the file takes at a time', async () => {
  const { file, bytes } = fakeFile(70_001)
  const writer = new FileWriter(file)
  for (const chunk of chunks) await writer.write(chunk)
  await writer.flush()
  assert.ok(bytes().equals(Buffer.concat(chunks)))
})

test('FileWriter writes small chunks together', async () => {
  const { file, writes } = fakeFile(1 << 30)
  const writer = new FileWriter(file)
  for (const chunk of chunks) await writer.write(chunk)
  await writer.flush()
  assert.equal(writes.length, 4)
})

test('FileWriter tells of a failure, at the latest when it is flushed', async () => {
  const writer = new FileWriter(fakeFile(1 << 30, 600_000).file)
  const all = async () => {
    for (const chunk of chunks) await writer.write(chunk)
    await writer.flush()
  }
  await assert.rejects(all(), { code: 'ENOSPC' })
  const last = new FileWriter(fakeFile(1 << 30, 10).file)
  await last.write(Buffer.alloc(20))
  await assert.rejects(last.flush(), { code: 'ENOSPC' })
})
