import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newContainerId } from '@berth/base'
import type { AttachRequest } from '../networks.ts'
import { emptyEndpoint } from '@berth/engine-api'
import { macOf, planAttachment } from './plan-attachment.ts'

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
  planAttachment(request(wanted), { hostGateway: '172.17.0.1', bindingIp: '0.0.0.0' })

test('planAttachment() takes default for bridge and keeps what was asked of the endpoint', () => {
  const { mode, endpoint } = plan({
    mode: 'default',
    endpoints: { default: { ...emptyEndpoint(), MacAddress: '02:00:00:00:00:01' } },
  })
  assert.deepEqual([mode, endpoint.MacAddress], ['bridge', '02:00:00:00:00:01'])
})

test('planAttachment() refuses networks that are not there, and several at once', () => {
  assert.throws(() => plan({ mode: 'nope' }), { kind: 'notFound', message: 'network nope not found' })
  assert.throws(() => plan({ endpoints: { nope: emptyEndpoint() } }), { kind: 'notFound' })
  assert.throws(() => plan({ endpoints: { none: emptyEndpoint() } }), { kind: 'conflict' })
})

test('planAttachment() refuses on the default bridge what needs a network of one’s own', () => {
  const bridge = { ...emptyEndpoint(), IPAMConfig: { IPv4Address: '172.17.0.9' }, Aliases: ['a'], MacAddress: 'bad' }
  assert.throws(() => plan({ endpoints: { bridge } }), {
    kind: 'invalid',
    message: `invalid config for network bridge: invalid endpoint settings:
* user specified IP address is supported on user defined networks only
* network-scoped aliases are only supported for user-defined networks
* invalid MAC address: bad`,
  })
})

test('planAttachment() resolves host-gateway and refuses malformed hosts', () => {
  assert.deepEqual(plan({ extraHosts: ['a:1.2.3.4', 'b:host-gateway'] }).extraHosts, [
    ['a', '1.2.3.4'],
    ['b', '172.17.0.1'],
  ])
  for (const bad of ['a', 'a:b', 'a:1.2.3.4\n5.6.7.8 c'])
    assert.throws(() => plan({ extraHosts: [bad] }), { kind: 'invalid' })
})

test('planAttachment() discards ports without a bridge', () => {
  const portBindings = { '80/tcp': [{ HostIp: '', HostPort: '80' }] }
  assert.deepEqual([plan({ mode: 'host', portBindings }).ports, plan({ portBindings }).ports.length], [[], 1])
})

test('macOf() follows from the address', () => {
  assert.equal(macOf('172.17.1.255'), '02:42:ac:11:01:ff')
})
