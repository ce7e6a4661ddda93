import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { expandEnvironment, readEnvironment } from './key-values.ts'
import { splitReference } from './reference.ts'
import { parseTimestamp } from './timestamp.ts'

test('splitReference() finds the tag or digest', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  const texts = ['busybox', 'busybox:1', 'localhost:5000/a/b:v', `x/y@${digest}`, `x:1@${digest}`]
  assert.deepEqual(texts.map(splitReference), [
    { name: 'busybox', tag: 'latest' },
    { name: 'busybox', tag: '1' },
    { name: 'localhost:5000/a/b', tag: 'v' },
    { name: 'x/y', tag: digest },
    { name: 'x', tag: digest },
  ])
})

test("splitReference() refuses malformed names in docker's words", () => {
  const upper = { message: 'invalid reference format: repository name (library/Foo) must be lowercase' }
  assert.throws(() => splitReference('Foo'), upper)
  for (const text of ['', 'a b', 'a:b:c', 'x@sha256:abc', '-a']) {
    assert.throws(() => splitReference(text), { message: 'invalid reference format' })
  }
})

test('parseTimestamp() takes seconds, durations and dates', () => {
  const nowMs = Date.UTC(2026, 0, 1)
  const texts = ['1136073600.5', '10m', '2013-01-02T13:23:37Z', '2013-01-02T13:23:37.123456789+01:00', 'foo', '2013']
  assert.deepEqual(
    texts.map((text) => parseTimestamp(text, nowMs)),
    [
      '1136073600.5',
      `${nowMs / 1000 - 600}.000000000`,
      '1357133017.000000000',
      '1357129417.123456789',
      undefined,
      '2013',
    ],
  )
})

test('expandEnvironment() and readEnvironment() take from the environment only what is in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'berth-env-'))
  const file = join(folder, 'env')
  writeFileSync(file, 'valueOf\nconstructor\nA=b\n')
  try {
    assert.deepEqual([expandEnvironment('constructor'), readEnvironment([file], [])], ['constructor', ['A=b']])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
