import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boolFilter, checkFilters, decodeFilters } from './filters.ts'

test('decodeFilters() takes both forms', () => {
  assert.deepEqual(decodeFilters('{"label":{"a=b":true,"c":false}}'), { label: ['a=b', 'c'] })
  assert.deepEqual(decodeFilters('{"label":["a=b"]}'), { label: ['a=b'] })
  assert.deepEqual(decodeFilters(''), {})
  assert.deepEqual(decodeFilters(null), {})
  assert.deepEqual(decodeFilters('null'), {})
})

test('decodeFilters() refuses everything else with the words invalid filter', () => {
  for (const text of ['zz', '[]', '{', '1', '{"a":"b"}', '{"a":{"b":1}}', '{"a":[1]}']) {
    assert.throws(() => decodeFilters(text), { message: 'invalid filter' }, text)
  }
})

test('checkFilters() names the unknown filter', () => {
  assert.throws(() => checkFilters({ bad: ['x'] }, new Set(['good'])), { message: "invalid filter 'bad'" })
})

test('boolFilter() reads one truth and refuses none and two', () => {
  assert.equal(boolFilter({}, 'dangling', true), true)
  assert.equal(boolFilter({ dangling: ['0'] }, 'dangling', true), false)
  assert.throws(() => boolFilter({ dangling: ['x'] }, 'dangling', true), { message: "invalid filter 'dangling=[x]'" })
  assert.throws(() => boolFilter({ dangling: ['1', '0'] }, 'dangling', true), /dangling=\[1 0\]/)
})
