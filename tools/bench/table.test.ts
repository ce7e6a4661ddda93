import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addSample, median, renderTable } from './table.ts'

test('median() takes the middle, or the mean of the two', () => {
  assert.deepEqual([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5])
})

test('renderTable() prints medians and ratios to the first engine', () => {
  const results = new Map<string, Map<string, number[]>>()
  for (const ms of [10, 30, 20]) addSample(results, 'a', { run: ms })
  addSample(results, 'b', { run: 200 })
  assert.equal(
    renderTable(['a', 'b'], new Map([['run', 'ms']]), results),
    '|  | unit | a | b | a/b | n |\n| --- | --- | ---: | ---: | ---: | ---: |\n| run | ms | 20.0 | 200 | 0.10 | 3 |',
  )
})
