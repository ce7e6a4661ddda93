import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPublishing } from './plan-publishing.ts'

test('planPublishing() manages both families and relays what cannot be translated, unless told otherwise', () => {
  const usual = { managed: [4, 6], relayUse: { families: [] }, allowDirectRouting: false }
  assert.deepEqual(planPublishing(), usual)
  assert.deepEqual(planPublishing({ iptables: false }), { ...usual, managed: [6], relayUse: { families: [4] } })
  assert.deepEqual(planPublishing({ iptables: false, ip6tables: false }), {
    ...usual,
    managed: [],
    relayUse: { families: [4, 6] },
  })
  assert.deepEqual(planPublishing({ userlandProxy: false }), { ...usual, relayUse: 'none' })
  assert.deepEqual(planPublishing({ behindHostFirewall: true }), { ...usual, relayUse: 'all' })
  assert.deepEqual(planPublishing({ allowDirectRouting: true }), { ...usual, allowDirectRouting: true })
})

test('planPublishing() refuses to publish by nothing at all', () => {
  for (const option of [{ iptables: false }, { ip6tables: false }, { behindHostFirewall: true }]) {
    assert.throws(() => planPublishing({ userlandProxy: false, ...option }), { kind: 'invalid' })
  }
})
