import assert from 'node:assert/strict'
import { test } from 'node:test'
import { customHeaders } from './custom-headers.ts'

const read = (text?: string) => customHeaders({ DOCKER_CUSTOM_HEADERS: text }, { HttpHeaders: { 'X-File': '1' } })

test('customHeaders() takes those of the variable instead of those of config.json', () => {
  assert.deepEqual(read(), { 'X-File': '1' })
  assert.deepEqual(read(''), { 'X-File': '1' })
  assert.deepEqual(read('X-A=1,"X-B=b,c=d",X-C='), { 'X-A': '1', 'X-B': 'b,c=d', 'X-C': '' })
  assert.deepEqual(read('X-A=1,X-A=2'), { 'X-A': '2' })
})

test('customHeaders() refuses what docker refuses, in its words', () => {
  const set = 'failed to set custom headers from DOCKER_CUSTOM_HEADERS environment variable: '
  assert.throws(() => read('=x'), { message: `${set}value contains a key=value pair with an empty key: '=x'` })
  assert.throws(() => read('a'), { message: `${set}missing "=" in key=value pair: 'a'` })
  assert.throws(() => read('"a"b'), /formatted as comma-separated key=value pairs$/)
})

test('customHeaders() refuses names and values that HTTP has not', () => {
  const of = (HttpHeaders: Record<string, string>) => () => customHeaders({}, { HttpHeaders })
  assert.throws(of({ 'Bad Header': 'x' }), { message: 'net/http: invalid header field name "Bad Header"' })
  assert.throws(of({ 'X-A': 'a\nb' }), { message: 'net/http: invalid header field value for "X-A"' })
  assert.deepEqual(of({ 'X-A': 'a\tb ü' })(), { 'X-A': 'a\tb ü' })
})
