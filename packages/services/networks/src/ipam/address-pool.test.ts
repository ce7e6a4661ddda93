import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressPool } from './address-pool.ts'
import { type Family, parseSubnet, toNumber, toText } from './subnet.ts'

const take = (pool: AddressPool, family: Family = 4): string | undefined => {
  const address = pool.allocate()
  return address === undefined ? undefined : toText(address, family)
}
const small = (): AddressPool => {
  const pool = new AddressPool(parseSubnet('10.0.0.0/29'))
  pool.take(toNumber('10.0.0.1'))
  return pool
}

test('AddressPool.allocate() hands out every host address once, without gateway, network and broadcast', () => {
  const pool = small()
  const all = Array.from({ length: 6 }, () => take(pool))
  assert.deepEqual(all, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', undefined])
})

test('AddressPool.allocate() takes a released address again only after all others', () => {
  const pool = small()
  take(pool)
  pool.release(toNumber('10.0.0.2'))
  assert.deepEqual(Array.from({ length: 5 }, () => take(pool)).at(-1), '10.0.0.2')
})

test('AddressPool.restore() keeps what an earlier process handed out', () => {
  const pool = small()
  pool.restore(toNumber('10.0.0.4'))
  assert.deepEqual(
    Array.from({ length: 5 }, () => take(pool)),
    ['10.0.0.5', '10.0.0.6', '10.0.0.2', '10.0.0.3', undefined],
  )
})

test('AddressPool.allocate() stays in the range; take() has the whole subnet, once', () => {
  const pool = new AddressPool(parseSubnet('10.0.0.0/24'), parseSubnet('10.0.0.64/30'))
  assert.deepEqual(
    Array.from({ length: 5 }, () => take(pool)),
    ['10.0.0.64', '10.0.0.65', '10.0.0.66', '10.0.0.67', undefined],
  )
  assert.deepEqual(
    ['10.0.0.9', '10.0.0.9', '10.0.0.0', '10.0.0.255', '10.0.1.1'].map((text) => pool.take(toNumber(text))),
    [true, false, false, false, false],
  )
})

test('AddressPool.release() never frees the network’s own addresses', () => {
  const pool = new AddressPool(parseSubnet('10.0.0.0/30'))
  pool.release(toNumber('10.0.0.0'))
  pool.release(toNumber('10.0.0.3'))
  assert.deepEqual([take(pool), take(pool), take(pool)], ['10.0.0.1', '10.0.0.2', undefined])
})

test('AddressPool.allocate() works with 64 bits of addresses, and with one or two', () => {
  const wide = new AddressPool(parseSubnet('fd00:1::/64'))
  assert.deepEqual([take(wide, 6), take(wide, 6)], ['fd00:1::1', 'fd00:1::2'])
  wide.restore(toNumber('fd00:1::ffff:ffff:ffff:ffff'))
  assert.equal(take(wide, 6), 'fd00:1::3')
  const pair = new AddressPool(parseSubnet('10.0.0.0/31'))
  assert.deepEqual([take(pair), take(pair), take(pair)], ['10.0.0.0', '10.0.0.1', undefined])
  assert.equal(take(new AddressPool(parseSubnet('10.0.0.7/32'))), '10.0.0.7')
})
