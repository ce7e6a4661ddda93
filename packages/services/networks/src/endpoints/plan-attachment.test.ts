import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newContainerId, newNetworkId } from '@berth/base'
import { emptyEndpoint, type EndpointSettings } from '@berth/engine-api'
import type { NetworkRecord } from '../model.ts'
import type { AttachRequest } from '../networks.ts'
import { NetworkRegistry } from '../registry.ts'
import { macOf, planAttachment } from './plan-attachment.ts'

function record(name: string, wanted: Partial<NetworkRecord> = {}): NetworkRecord {
  return {
    id: newNetworkId(),
    name,
    driver: 'bridge',
    created: '',
    scope: 'local',
    enableIPv4: true,
    enableIPv6: false,
    internal: false,
    attachable: false,
    configOnly: false,
    configFrom: '',
    ipam: { driver: 'default', options: null, config: null },
    options: {},
    labels: {},
    pools: [{ subnet: '10.1.0.0/24', gateway: '10.1.0.1', auxiliary: {} }],
    ...wanted,
  }
}

const chosen = { subnet: '172.17.0.0/16', gateway: '172.17.0.1', auxiliary: {}, isChosen: true }
const registry = new NetworkRegistry([
  record('bridge', { pools: [chosen] }),
  record('host', { driver: 'host', pools: [] }),
  record('none', { driver: 'null', pools: [] }),
  record('a'),
  record('b'),
  record('inner', { internal: true }),
  record('template', { configOnly: true, driver: 'null' }),
])

const request = (wanted: Partial<AttachRequest>): AttachRequest => ({
  containerId: newContainerId(),
  name: 'n',
  hostname: 'h',
  domainname: '',
  mode: 'bridge',
  endpoints: {},
  dns: [],
  dnsOptions: [],
  dnsSearch: [],
  extraHosts: [],
  portBindings: {},
  sysctls: {},
  filesDirectory: '/x',
  ...wanted,
})
const plan = (wanted: Partial<AttachRequest>) =>
  planAttachment(request(wanted), { registry, hostGateways: ['172.17.0.1', 'fd00::1'] })
const endpoint = (wanted: Partial<EndpointSettings> = {}): EndpointSettings => ({ ...emptyEndpoint(), ...wanted })
const names = (wanted: Partial<AttachRequest>): string[] => plan(wanted).endpoints.map(({ record: { name } }) => name)

test('planAttachment() takes default for bridge and keeps what was asked of the endpoint', () => {
  const { endpoints } = plan({ mode: 'default', endpoints: { default: endpoint({ MacAddress: '02:00:00:00:00:01' }) } })
  assert.deepEqual(
    endpoints.map(({ record: { name }, asked }) => [name, asked.MacAddress]),
    [['bridge', '02:00:00:00:00:01']],
  )
})

test('planAttachment() puts the way out first: priority, then what leads out, then the name', () => {
  const both = { b: endpoint(), inner: endpoint(), a: endpoint() }
  assert.deepEqual(names({ mode: 'b', endpoints: both }), ['a', 'b', 'inner'])
  assert.deepEqual(names({ mode: 'b', endpoints: { ...both, b: endpoint({ GwPriority: 1 }) } }), ['b', 'a', 'inner'])
  assert.deepEqual(names({ mode: 'b', endpoints: { ...both, a: endpoint({ GwPriority: -1 }) } }), ['b', 'inner', 'a'])
})

test('planAttachment() refuses networks that are not there, and those that stand alone beside others', () => {
  assert.throws(() => plan({ mode: 'nope' }), { kind: 'notFound', message: 'network nope not found' })
  assert.throws(() => plan({ endpoints: { nope: endpoint() } }), { kind: 'notFound' })
  assert.throws(() => plan({ endpoints: { a: endpoint({ NetworkID: 'f'.repeat(64) }) } }), {
    message: `network ${'f'.repeat(64)} not found`,
  })
  assert.throws(() => plan({ endpoints: { none: endpoint(), a: endpoint() } }), { kind: 'conflict' })
  assert.throws(() => plan({ endpoints: { host: endpoint(), a: endpoint() } }), { kind: 'conflict' })
  assert.throws(() => plan({ mode: 'template' }), { message: 'cannot create endpoint on configuration-only network' })
})

test('planAttachment() refuses on the default bridge what needs a network of one’s own', () => {
  const bridge = endpoint({ IPAMConfig: { IPv4Address: '172.17.0.9' }, Aliases: ['a'], MacAddress: 'bad' })
  assert.throws(() => plan({ endpoints: { bridge } }), {
    kind: 'invalid',
    message: `invalid config for network bridge: invalid endpoint settings:
* user specified IP address is supported on user defined networks only
* network-scoped alias is supported only for containers in user defined networks
* user specified IP address is supported only when connecting to networks with user configured subnets
* invalid MAC address bad`,
  })
})

test('planAttachment() refuses addresses outside the network’s subnets, malformed ones and absurd options', () => {
  const refusal = (wanted: Partial<EndpointSettings>, message: string) =>
    assert.throws(() => plan({ mode: 'a', endpoints: { a: endpoint(wanted) } }), {
      message: `invalid config for network a: invalid endpoint settings:\n${message}`,
    })
  const address = (IPv4Address: string) => ({ IPAMConfig: { IPv4Address } })
  refusal(address('10.2.0.3'), 'no configured subnet or ip-range contain the IP address 10.2.0.3')
  refusal(
    address('nope'),
    '* invalid IPv4 address: nope\n* no configured subnet or ip-range contain the IP address nope',
  )
  refusal(
    { IPAMConfig: { IPv6Address: 'fd00::1' } },
    'user specified IP address is supported only when connecting to networks with user configured subnets',
  )
  refusal({ DriverOpts: { 'com.docker.network.endpoint.ifname': 'a/b' } }, 'invalid interface name "a/b"')
  refusal(
    { DriverOpts: { 'com.docker.network.endpoint.sysctls': 'net.ipv4.conf.IFNAME.log_martians=1,foo' } },
    "unrecognised network interface sysctl 'foo'; represent 'net.X.Y.ethN.Z=V' as 'net.X.Y.IFNAME.Z=V', 'X' must be 'ipv4', 'ipv6' or 'mpls'",
  )
})

test('planAttachment() resolves host-gateway and refuses malformed hosts', () => {
  assert.deepEqual(plan({ extraHosts: ['a:1.2.3.4', 'b:host-gateway'] }).extraHosts, [
    ['a', '1.2.3.4'],
    ['b', '172.17.0.1'],
    ['b', 'fd00::1'],
  ])
  for (const bad of ['a', 'a:b', 'a:1.2.3.4\n5.6.7.8 c'])
    assert.throws(() => plan({ extraHosts: [bad] }), { kind: 'invalid' })
})

test('macOf() follows from the address', () => {
  assert.equal(macOf('172.17.1.255'), '02:42:ac:11:01:ff')
  assert.equal(macOf('fd00::1:2:3'), '02:42:00:02:00:03')
})
