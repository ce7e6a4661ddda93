import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findForeignDrops, type RulesetEntry } from './foreign-drops.ts'

const chain = (wanted: Record<string, unknown>): RulesetEntry => ({
  chain: { family: 'ip', table: 'filter', name: 'FORWARD', hook: 'forward', policy: 'drop', ...wanted },
})
const rule = (link: string): RulesetEntry => ({
  rule: {
    family: 'ip',
    table: 'filter',
    chain: 'DOCKER-USER',
    expr: [{ match: { op: '==', left: { meta: { key: 'iifname' } }, right: link } }, { accept: null }],
  },
})

test('findForeignDrops() names the chains of others that drop what is forwarded', () => {
  const found = findForeignDrops(
    [
      chain({}),
      chain({ family: 'inet', table: 'firewalld', name: 'filter_FORWARD' }),
      chain({ family: 'inet', table: 'berth' }),
      chain({ family: 'bridge', table: 'others' }),
      chain({ table: 'open', policy: 'accept' }),
      chain({ table: 'in', hook: 'input' }),
      { table: { family: 'ip', name: 'filter' } },
    ],
    ['berth0'],
  )
  assert.deepEqual(found, ['ip filter FORWARD', 'inet firewalld filter_FORWARD'])
})

test('findForeignDrops() believes a table that names a bridge of the engine, also by a pattern', () => {
  for (const link of ['berth0', 'br-*']) {
    assert.deepEqual(findForeignDrops([chain({}), rule(link)], ['berth0', 'br-0123456789ab']), [])
  }
  assert.deepEqual(findForeignDrops([chain({}), rule('docker0')], ['berth0']), ['ip filter FORWARD'])
})

test('findForeignDrops() finds a chain that ends by dropping or rejecting all the rest', () => {
  const open = chain({ policy: 'accept' })
  const ends = (...expr: object[]): RulesetEntry => ({
    rule: { family: 'ip', table: 'filter', chain: 'FORWARD', expr },
  })
  const match = { match: { op: '==', left: { meta: { key: 'iifname' } }, right: 'eth0' } }
  const reject = { reject: { type: 'icmpx', expr: 'admin-prohibited' } }
  const drops = (...rules: RulesetEntry[]) => findForeignDrops([open, ...rules], ['berth0'])
  const named = ['ip filter FORWARD']
  assert.deepEqual(drops(ends(reject)), named)
  assert.deepEqual(drops(ends({ counter: { packets: 1, bytes: 1 } }, { drop: null })), named)
  assert.deepEqual(drops(ends({ counter: null }, { xt: { type: 'target', name: 'REJECT' } })), named)
  assert.deepEqual(drops(ends(match, reject)), [])
  assert.deepEqual(drops(ends({ xt: { type: 'match', name: 'comment' } }, reject)), [])
  assert.deepEqual(drops(ends({ accept: null }), ends({ counter: null })), [])
  assert.deepEqual(drops(ends(reject), rule('berth0')), [])
})
