import assert from 'node:assert/strict'
import { test } from 'node:test'
import { humanSize, progressBar } from './progress.ts'

test('humanSize() writes four significant digits of a decimal unit', () => {
  const sizes = [0, 999, 1000, 32768, 1_996_800, 1_234_567_890].map(humanSize)
  assert.deepEqual(sizes, ['0B', '999B', '1kB', '32.77kB', '1.997MB', '1.235GB'])
})

test('progressBar() draws what Docker draws', () => {
  assert.equal(progressBar(32768, 1_996_800), `[>${' '.repeat(50)}]  32.77kB/1.997MB`)
  assert.equal(progressBar(1_996_800, 1_996_800), `[${'='.repeat(50)}>]  1.997MB/1.997MB`)
  assert.equal(progressBar(0, 0), `[>${' '.repeat(50)}]       0B/0B`)
})
