import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planSubnets, type SubnetFlags } from './subnets.ts'

const none: SubnetFlags = { subnets: [], ranges: [], gateways: [], auxiliary: {} }
const plan = (flags: Partial<SubnetFlags>) => planSubnets({ ...none, ...flags })

test('planSubnets() gives each address to the subnet that it lies in, of both families', () => {
  const planned = plan({
    subnets: ['10.1.0.0/16', 'fd00:1::/64'],
    ranges: ['10.1.4.0/24'],
    gateways: ['fd00:1::9', '10.1.0.9'],
    auxiliary: { router: '10.1.0.5', other: 'fd00:1::5' },
  })
  assert.deepEqual(planned, [
    {
      Subnet: '10.1.0.0/16',
      IPRange: '10.1.4.0/24',
      Gateway: '10.1.0.9',
      AuxiliaryAddresses: { router: '10.1.0.5' },
    },
    { Subnet: 'fd00:1::/64', Gateway: 'fd00:1::9', AuxiliaryAddresses: { other: 'fd00:1::5' } },
  ])
})

const refusals: [flags: Partial<SubnetFlags>, message: string][] = [
  [{ gateways: ['10.1.0.1'] }, 'every ip-range or gateway must have a corresponding subnet'],
  [{ subnets: ['10.1.0.0/16', '10.1.2.0/24'] }, 'multiple overlapping subnet configuration is not supported'],
  [{ subnets: ['10.1.0.0/16'], ranges: ['10.2.0.0/24'] }, 'no matching subnet for range 10.2.0.0/24'],
  [{ subnets: ['10.1.0.0/16'], gateways: ['fd00::1'] }, 'no matching subnet for gateway fd00::1'],
  [{ subnets: ['10.1.0.0/16'], gateways: ['foo'] }, 'no matching subnet for gateway foo'],
  [{ subnets: ['10.1.0.0/16'], auxiliary: { a: '10.2.0.1' } }, 'no matching subnet for aux-address 10.2.0.1'],
  [{ subnets: ['foo'], gateways: ['10.1.0.1'] }, 'invalid subnet: invalid CIDR address: foo'],
  [{ subnets: ['10.1.0.0/16'], ranges: ['foo/x'] }, 'invalid CIDR address: foo/x'],
  [
    { subnets: ['10.1.0.0/16', '10.2.0.0/16'], gateways: ['10.1.0.1', '10.1.0.2'] },
    'cannot configure multiple gateways (10.1.0.2, 10.1.0.1) for the same subnet (10.1.0.0/16)',
  ],
]

for (const [flags, message] of refusals) {
  test(`planSubnets() refuses in docker's words: ${message}`, () => assert.throws(() => plan(flags), { message }))
}
