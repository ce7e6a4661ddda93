import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGoBool } from './go-bool.ts'
import { escapeAsGo } from './go-json.ts'

test('parseGoBool() takes the spellings that Go takes, and no others', () => {
  assert.deepEqual(['1', 't', 'T', 'TRUE', 'true', 'True'].map(parseGoBool), Array<boolean>(6).fill(true))
  assert.deepEqual(['0', 'f', 'F', 'FALSE', 'false', 'False'].map(parseGoBool), Array<boolean>(6).fill(false))
  for (const text of ['', 'yes', 'tRUE', ' true', '2']) assert.equal(parseGoBool(text), undefined)
})

test('escapeAsGo() escapes what Go does', () => {
  assert.equal(escapeAsGo(JSON.stringify('<a>&\u2028\u2029')), String.raw`"\u003ca\u003e\u0026\u2028\u2029"`)
})
