import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatAddress, formatMac, parseAddress, parseMac } from './ip-address.ts'

test('parseAddress() and formatAddress() agree', () => {
  const texts = [
    '172.17.0.2',
    '::',
    '::1',
    'fe80::1',
    '2001:db8::8:0:0:417a',
    '1:2:3:4:5:6:7:8',
    'fd00:0:0:1::',
    '255.255.255.255',
  ]
  assert.deepEqual(
    texts.map((text) => formatAddress(parseAddress(text))),
    [
      '172.17.0.2',
      '::',
      '::1',
      'fe80::1',
      '2001:db8::8:0:0:417a',
      '1:2:3:4:5:6:7:8',
      'fd00:0:0:1::',
      '255.255.255.255',
    ],
  )
  assert.equal(parseAddress('::ffff:10.0.0.1').toString('hex'), '00000000000000000000ffff0a000001')
  assert.equal(parseAddress('64:ff9b::10.0.0.1').toString('hex'), '0064ff9b00000000000000000a000001')
})

test('parseAddress() refuses what is no address', () => {
  for (const text of ['', '1.2.3', '1.2.3.256', 'fe80::1%eth0', ':::', 'x'])
    assert.throws(() => parseAddress(text), /not an IP address/)
})

test('parseMac() takes both separators and refuses the rest', () => {
  assert.equal(formatMac(parseMac('02-42-AC-11-00-02')), '02:42:ac:11:00:02')
  for (const text of ['', '02:42:ac:11:00', '02:42:ac:11:00:0g', '0242ac110002'])
    assert.throws(() => parseMac(text), /not a MAC address/)
})
