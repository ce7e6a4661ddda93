import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
  platformOrder,
  platformRank,
} from './platform.ts'

test('parsePlatform() normalises what was written', () => {
  const table: Record<string, string> = {
    'linux/amd64': 'linux/amd64',
    'Linux/x86_64': 'linux/amd64',
    'linux/x86-64': 'linux/amd64',
    'linux/i386': 'linux/386',
    'linux/aarch64': 'linux/arm64',
    'linux/arm64/v8': 'linux/arm64/v8',
    'linux/arm64/8': 'linux/arm64/v8',
    'linux/arm': 'linux/arm',
    'linux/arm/v7': 'linux/arm/v7',
    'linux/arm/6': 'linux/arm/v6',
    'linux/armhf': 'linux/arm',
    'linux/armel': 'linux/arm/v6',
    'macos/arm64': 'darwin/arm64',
    arm64: 'linux/arm64',
    aarch64: 'linux/arm64',
    s390x: 'linux/s390x',
    linux: formatPlatform(hostPlatform()),
    'windows(10.0.17763)/amd64': 'windows/amd64',
    'linux/unknowable': 'linux/unknowable',
  }
  const got = Object.fromEntries(Object.keys(table).map((given) => [given, formatPlatform(parsePlatform(given))]))
  assert.deepEqual(got, table)
})

test('parsePlatform() refuses what names no platform', () => {
  for (const bad of ['', '*', 'linux/*', 'plan10', 'linux/', '/amd64', 'a/b/c/d', 'linux/am d64', 'linux(1/amd64']) {
    assert.throws(() => parsePlatform(bad), { kind: 'invalid', message: /: invalid argument$/ }, bad)
  }
})

test('normalizePlatform() keeps the other fields', () => {
  assert.deepEqual(normalizePlatform({ os: 'Linux', architecture: 'ARM', 'os.version': '1' }), {
    os: 'linux',
    architecture: 'arm',
    variant: 'v7',
    'os.version': '1',
  })
})

const order = (text: string) => platformOrder(parsePlatform(text)).map(formatPlatform)

test('platformOrder() lists what an architecture runs, best first', () => {
  assert.deepEqual(order('linux/amd64'), ['linux/amd64', 'linux/386'])
  assert.deepEqual(order('linux/amd64/v3'), ['linux/amd64/v3', 'linux/amd64/v2', 'linux/amd64', 'linux/386'])
  assert.deepEqual(order('linux/arm/v7'), ['linux/arm/v7', 'linux/arm/v6', 'linux/arm/v5'])
  assert.deepEqual(order('linux/arm64'), [
    'linux/arm64',
    'linux/arm/v8',
    'linux/arm/v7',
    'linux/arm/v6',
    'linux/arm/v5',
  ])
  assert.deepEqual(order('linux/arm64/v9').slice(0, 3), ['linux/arm64/v9', 'linux/arm64/v8.5', 'linux/arm64/v8.4'])
})

test('platformRank() prefers the exact platform', () => {
  const host = parsePlatform('linux/arm/v7')
  const rank = (text: string) => platformRank(host, parsePlatform(text))
  assert.deepEqual([rank('linux/arm'), rank('linux/arm/v6'), rank('linux/arm/v8')], [0, 1, undefined])
})

test('matchesPlatform() lets an image without a variant match, one with another variant not', () => {
  const wanted = parsePlatform('linux/arm/v6')
  assert.equal(matchesPlatform(wanted, { os: 'linux', architecture: 'arm' }), true)
  assert.equal(matchesPlatform(wanted, { os: 'linux', architecture: 'arm', variant: 'v7' }), false)
  assert.equal(matchesPlatform(wanted, { os: 'linux', architecture: 'amd64' }), false)
})
