import assert from 'node:assert/strict'
import { arch } from 'node:os'
import { test } from 'node:test'
import { platformQuery } from './platform.ts'

const parsed = (text: string): unknown => JSON.parse(platformQuery(text) ?? 'null')

test('platformQuery() takes an architecture alone, and fills in what an operating system leaves out', () => {
  assert.equal(platformQuery(''), undefined)
  assert.deepEqual(parsed('s390x'), { os: 'linux', architecture: 's390x' })
  assert.deepEqual(parsed('linux/arm/v6'), { os: 'linux', architecture: 'arm', variant: 'v6' })
  assert.deepEqual(parsed('linux'), { os: 'linux', architecture: arch() === 'arm64' ? 'arm64' : 'amd64' })
})

test('platformQuery() refuses what names no platform, in the words of the command', () => {
  assert.throws(
    () => platformQuery('linux/a:'),
    /^Error: invalid platform: "a:" is an invalid component of "linux\/a:"/,
  )
  assert.throws(() => platformQuery('-1', ''), /^Error: "-1": unknown operating system or architecture/)
})
