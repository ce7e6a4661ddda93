import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildHosts, parseExtraHost } from './hosts-file.ts'

const none = { hostname: 'h', domainname: '', addresses: [], extraHosts: [] }
const local = buildHosts(none)

test('buildHosts() begins with the local names', () => {
  assert.equal(
    local,
    '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\nff00::\tip6-mcastprefix\n' +
      'ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n',
  )
})

test('buildHosts() puts extra hosts before the own names, full name first', () => {
  const own = (hostname: string, domainname: string): string =>
    buildHosts({ ...none, hostname, domainname, addresses: ['172.17.0.3'], extraHosts: [['c', '::1']] }).slice(
      local.length,
    )
  assert.equal(own('h', ''), '::1\tc\n172.17.0.3\th\n')
  assert.equal(own('h', 'dom.org'), '::1\tc\n172.17.0.3\th.dom.org h\n')
  assert.equal(own('h.example.org', ''), '::1\tc\n172.17.0.3\th.example.org h\n')
})

test('parseExtraHost() splits at the first separator', () => {
  assert.deepEqual(parseExtraHost('a:1.2.3.4'), ['a', '1.2.3.4'])
  assert.deepEqual(parseExtraHost('a:::1'), ['a', '::1'])
  assert.deepEqual(parseExtraHost('a=[fe80::1]'), ['a', 'fe80::1'])
  assert.equal(parseExtraHost('bad'), undefined)
  assert.equal(parseExtraHost('bad:'), undefined)
})
