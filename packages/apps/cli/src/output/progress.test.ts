import assert from 'node:assert/strict'
import { test } from 'node:test'
import { progressText } from './progress.ts'

const text = (current: number, total: number, columns = 200) =>
  progressText({ progress: 'theirs', progressDetail: { current, total } }, columns)

test('progressText() draws a bar where there is room, else the numbers', () => {
  assert.equal(text(512_000, 1_024_000), `[${'='.repeat(25)}>${' '.repeat(25)}]    512kB/1.024MB`)
  assert.equal(text(1_024_000, 1_024_000), `[${'='.repeat(50)}>]  1.024MB/1.024MB`)
  assert.equal(text(512_000, 1_024_000, 110), '   512kB/1.024MB')
})

test('progressText() takes a total that is unknown or too small for what it is', () => {
  assert.equal(text(2000, 0), '     2kB')
  assert.equal(text(2000, 1000), `[${'='.repeat(50)}>]      2kB`)
  assert.equal(text(0, 0), 'theirs')
})
