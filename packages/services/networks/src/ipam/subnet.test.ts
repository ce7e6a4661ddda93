import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildAddressRange, builtinPools, chooseSubnet, uniqueLocalPool } from './default-pools.ts'
import { containsSubnet, formatSubnet, overlaps, parseCidr, parseSubnet, toText } from './subnet.ts'

const choose = (taken: readonly string[], pools = builtinPools(), family: 4 | 6 = 4) => {
  const subnet = chooseSubnet(pools, family, taken.map(parseSubnet))
  return subnet && formatSubnet(subnet)
}

test('parseCidr() gives address and subnet of both families, and nothing for what is none', () => {
  const parsed = parseCidr('192.168.200.9/20')
  assert.deepEqual([toText(parsed!.address, 4), formatSubnet(parsed!.subnet)], ['192.168.200.9', '192.168.192.0/20'])
  const six = parseCidr('FD00::1:0/64')
  assert.deepEqual([toText(six!.address, 6), formatSubnet(six!.subnet)], ['fd00::1:0', 'fd00::/64'])
  for (const text of ['', '10.0.0.1', '10.0.0.1/33', '10.0.0.256/24', 'fd00::1/129', '10.0.0.1/24x', 'fe80::1%lo/64'])
    assert.equal(parseCidr(text), undefined, text)
})

test('overlaps() and containsSubnet() keep the families apart', () => {
  const [a, b, six] = ['10.0.0.0/8', '10.1.0.0/16', '::a00:0/104'].map(parseSubnet)
  assert.deepEqual([overlaps(a!, b!), overlaps(b!, a!), overlaps(a!, six!)], [true, true, false])
  assert.deepEqual([containsSubnet(a!, b!), containsSubnet(b!, a!)], [true, false])
})

test('chooseSubnet() skips what overlaps, larger or smaller, and runs out', () => {
  assert.equal(choose([]), '172.17.0.0/16')
  assert.equal(choose(['172.17.4.0/24', '172.18.0.0/15']), '172.20.0.0/16')
  assert.equal(choose(['172.16.0.0/12']), '192.168.0.0/20')
  assert.equal(choose(['172.16.0.0/12', '192.168.0.0/19']), '192.168.32.0/20')
  assert.equal(choose(['172.0.0.0/8', '192.168.0.0/16']), undefined)
})

test('chooseSubnet() leaps over what is taken of a large pool', () => {
  const pools = [buildAddressRange('fd00::/16', 64)]
  assert.equal(choose(['fd00::/17'], pools, 6), 'fd00:8000::/64')
  assert.equal(choose([], pools, 4), undefined)
})

test('uniqueLocalPool() is the same for one machine and lies in fd00::/8', () => {
  const { base, size } = uniqueLocalPool('machine')
  assert.deepEqual([base, size], [uniqueLocalPool('machine').base, 64])
  assert.match(formatSubnet(base), /^fd[\da-f]{2}:[\da-f]{1,4}:[\da-f]{1,4}::\/48$/)
})

test('buildAddressRange() refuses what cannot hold', () => {
  const { base, size } = buildAddressRange('10.99.0.0/16', 24)
  assert.deepEqual([formatSubnet(base), size], ['10.99.0.0/16', 24])
  for (const [cidr, bits] of [
    ['x', 24],
    ['10.0.0.0/16', 8],
    ['10.0.0.0/16', 33],
    ['10.0.0.0/16', NaN],
  ] as const)
    assert.throws(() => buildAddressRange(cidr, bits), { kind: 'invalid' }, cidr)
})
