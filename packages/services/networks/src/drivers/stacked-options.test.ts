import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStackedKind, routesByLink } from './stacked-options.ts'

test('parseStackedKind() reads modes and flags, with Docker’s defaults', () => {
  assert.deepEqual(parseStackedKind({ driver: 'macvlan', options: {} }), { driver: 'macvlan', mode: 'bridge' })
  assert.deepEqual(parseStackedKind({ driver: 'macvlan', options: { macvlan_mode: 'vepa' } }), {
    driver: 'macvlan',
    mode: 'vepa',
  })
  const ipvlan = { driver: 'ipvlan', mode: 'l2', flag: 'bridge' }
  assert.deepEqual(parseStackedKind({ driver: 'ipvlan', options: {} }), ipvlan)
  const options = { ipvlan_mode: 'l3s', ipvlan_flag: 'private' }
  assert.deepEqual(parseStackedKind({ driver: 'ipvlan', options }), { ...ipvlan, mode: 'l3s', flag: 'private' })
})

test('parseStackedKind() refuses what the kernel does not know', () => {
  for (const [driver, options, message] of [
    [
      'macvlan',
      { macvlan_mode: 'l2' },
      /^requested macvlan mode 'l2' is not valid, 'bridge' mode is the macvlan driver/,
    ],
    [
      'ipvlan',
      { ipvlan_mode: 'bridge' },
      /^requested ipvlan mode 'bridge' is not valid, 'l2' mode is the ipvlan driver/,
    ],
    ['ipvlan', { ipvlan_flag: 'x' }, /^requested ipvlan flag 'x' is not valid, 'bridge' flag is the ipvlan driver/],
  ] as const) {
    assert.throws(() => parseStackedKind({ driver, options: { ...options } }), { kind: 'invalid', message })
  }
})

test('routesByLink() is true where the kernel routes between parent and containers', () => {
  const by = (ipvlan_mode: string) => routesByLink({ driver: 'ipvlan', options: { ipvlan_mode } })
  assert.deepEqual([by('l2'), by('l3'), by('l3s')], [false, true, true])
  assert.equal(routesByLink({ driver: 'macvlan', options: { ipvlan_mode: 'l3' } }), false)
})
