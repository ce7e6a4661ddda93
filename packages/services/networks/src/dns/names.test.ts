import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerQuery } from './answer.ts'
import { question } from './fixtures.ts'
import { parseQuery } from './message.ts'
import { type DnsEndpoint, DnsNames } from './names.ts'

let last = 0
const endpoint = (sandboxId: string, network: string, more: Partial<DnsEndpoint> = {}): DnsEndpoint => ({
  endpointId: `${sandboxId}-${network}`,
  sandboxId,
  networkId: `id-${network}`,
  networkName: network,
  dnsNames: [sandboxId],
  ipv4: `10.0.0.${++last}`,
  ...more,
})

function filled(...endpoints: DnsEndpoint[]): DnsNames {
  const names = new DnsNames()
  for (const one of endpoints) names.put(one)
  return names
}

test('DnsNames.resolve() tells a container the names of its own networks only', () => {
  const names = filled(
    endpoint('web', 'front', { ipv4: '10.1.0.2' }),
    endpoint('web', 'back', { ipv4: '10.2.0.2' }),
    endpoint('db', 'back', { ipv4: '10.2.0.3', ipv6: 'fd00::3', dnsNames: ['db', 'Alias', '0123456789ab'] }),
    endpoint('client', 'front', { ipv4: '10.1.0.4' }),
  )
  for (const name of ['db', 'DB', 'alias', '0123456789ab', 'db.back', 'alias.Back'])
    assert.deepEqual(names.resolve('web', name), { ipv4: ['10.2.0.3'], ipv6: ['fd00::3'] }, name)
  for (const name of ['db', 'db.back', 'web.back', 'nobody', '', '.', 'web.'])
    assert.equal(names.resolve('client', name), undefined, name)
  assert.deepEqual(names.resolve('client', 'web'), { ipv4: ['10.1.0.2'], ipv6: [] })
  assert.equal(names.resolve('stranger', 'db'), undefined)
})

test('DnsNames.resolve() takes names and networks with dots, and all who share a name', () => {
  const names = filled(
    endpoint('a.b', 'c.d', { ipv4: '10.0.0.1', dnsNames: ['a.b', 'all'] }),
    endpoint('e', 'c.d', { ipv4: '10.0.0.2', dnsNames: ['e', 'all'] }),
  )
  for (const name of ['a.b', 'a.b.c.d']) assert.deepEqual(names.resolve('e', name)?.ipv4, ['10.0.0.1'])
  assert.deepEqual(names.resolve('e', 'all')?.ipv4, ['10.0.0.1', '10.0.0.2'])
})

test('DnsNames.resolve() knows a link by its alias, for its owner only, whoever has the name then', () => {
  const links = [{ alias: 'database', name: 'db' }]
  const names = filled(endpoint('web', 'n', { links }), endpoint('db', 'n', { ipv4: '10.9.0.1' }), endpoint('x', 'n'))
  assert.deepEqual(names.resolve('web', 'database')?.ipv4, ['10.9.0.1'])
  assert.equal(names.resolve('x', 'database'), undefined)
  names.put(endpoint('db', 'n', { ipv4: '10.9.0.2' }))
  assert.deepEqual(names.resolve('web', 'database.n')?.ipv4, ['10.9.0.2'])
})

test('DnsNames.reverse() names whom an address belongs to, and remove() leaves nothing', () => {
  const names = filled(
    endpoint('db', 'n', { ipv4: '10.0.0.9', ipv6: 'fd00::9', dnsNames: ['db', 'x'] }),
    endpoint('o', 'm'),
  )
  assert.equal(names.reverse('db', '10.0.0.9'), 'db.n')
  assert.equal(names.reverse('db', 'fd00:0:0::0009'), 'db.n')
  assert.equal(names.reverse('o', '10.0.0.9'), undefined)
  assert.equal(names.reverse('db', '999.1.1.1'), undefined)
  names.remove('db-n')
  names.remove('db-n')
  assert.equal(names.resolve('db', 'db'), undefined)
})

test('answerQuery() has no answer of others’ for a name of its own, and none of its own for others’', () => {
  const names = filled(endpoint('db', 'n', { ipv4: '10.0.0.9' }))
  const ask = (name: string, type: number, more: { forwards?: boolean; hasNdots?: boolean } = {}) => {
    const query = parseQuery(question(name, type))
    assert.ok(query && !('code' in query))
    return answerQuery(query, { names, sandboxId: 'db', forwards: true, hasNdots: false, ...more })
  }
  const empty = { code: 0, records: [] }
  assert.deepEqual(ask('db', 1), { code: 0, records: [Buffer.of(10, 0, 0, 9)] })
  for (const type of [28, 15, 16, 65]) assert.deepEqual(ask('db', type), empty, `${type}`)
  assert.deepEqual(ask('9.0.0.10.in-addr.arpa', 12), { code: 0, records: [Buffer.from('\x02db\x01n\0')] })
  assert.equal(ask('8.0.0.10.in-addr.arpa', 12), 'forward')
  assert.equal(ask('example.org', 1), 'forward')
  assert.equal(ask('host', 1), 'forward')
  // Addresses alone: so dockerd says that it is for a search domain.
  const asked = [1, 28, 15].map((type) => ask('host', type, { hasNdots: true }))
  assert.deepEqual(asked, [empty, empty, 'forward'])
  assert.deepEqual(ask('host', 1, { hasNdots: true, forwards: false }), empty)
  assert.equal(ask('host.example', 1, { hasNdots: true }), 'forward')
  assert.deepEqual(ask('example.org', 1, { forwards: false }), { code: 2, records: [] })
})
