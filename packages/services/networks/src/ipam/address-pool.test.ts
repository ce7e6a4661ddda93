import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AddressPool } from './address-pool.ts'
import { chooseSubnet, parseCidr, toNumber, toText } from './subnet.ts'

const { subnet, address: gateway } = parseCidr('10.0.0.1/29')
const take = (pool: AddressPool): string | undefined => {
  const address = pool.allocate()
  return address === undefined ? undefined : toText(address)
}

test('AddressPool.allocate() hands out every host address once, without gateway, network and broadcast', () => {
  const pool = new AddressPool(subnet, [gateway])
  const all = Array.from({ length: 6 }, () => take(pool))
  assert.deepEqual(all, ['10.0.0.2', '10.0.0.3', '10.0.0.4', '10.0.0.5', '10.0.0.6', undefined])
})

test('AddressPool.allocate() takes a released address again only after all others', () => {
  const pool = new AddressPool(subnet, [gateway])
  take(pool)
  pool.release(toNumber('10.0.0.2'))
  assert.deepEqual(Array.from({ length: 5 }, () => take(pool)).at(-1), '10.0.0.2')
})

test('AddressPool.restore() keeps what an earlier process handed out', () => {
  const pool = new AddressPool(subnet, [gateway])
  pool.restore(toNumber('10.0.0.4'))
  assert.deepEqual(
    Array.from({ length: 5 }, () => take(pool)),
    ['10.0.0.5', '10.0.0.6', '10.0.0.2', '10.0.0.3', undefined],
  )
})

test('parseCidr() gives address and subnet, and refuses what is no usable subnet', () => {
  assert.deepEqual(parseCidr('192.168.200.9/20'), {
    address: toNumber('192.168.200.9'),
    subnet: { base: toNumber('192.168.192.0'), prefixLength: 20 },
  })
  for (const text of ['', '10.0.0.1', '10.0.0.1/31', '10.0.0.1/4', '10.0.0.256/24', 'fd00::1/64', '10.0.0.1/24x']) {
    assert.throws(() => parseCidr(text), { kind: 'invalid', message: `invalid CIDR address: ${text}` })
  }
})

test('chooseSubnet() skips pools that overlap, larger or smaller, and prefers the former one', () => {
  const taken = ['172.17.4.1/24', '172.18.0.0/15'].map((text) => parseCidr(text).subnet)
  assert.equal(toText(chooseSubnet(taken)?.base ?? 0), '172.20.0.0')
  const preferred = parseCidr('172.25.0.0/16').subnet
  assert.equal(chooseSubnet(taken, preferred), preferred)
  assert.equal(chooseSubnet([...taken, preferred], preferred)?.base, toNumber('172.20.0.0'))
  assert.equal(chooseSubnet([parseCidr('172.0.0.0/8').subnet, parseCidr('192.168.0.0/16').subnet]), undefined)
})
