import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPorts, planRoutes, type PortTarget, type RelayUse, toPortMap } from './plan-ports.ts'

const both = ['0.0.0.0', '::']

test('planPorts() decodes bindings, ranges, families and defaults', () => {
  const planned = planPorts({
    '80/tcp': [
      { HostIp: '', HostPort: '8080-8090' },
      { HostIp: '127.0.0.1', HostPort: '' },
    ],
    '53/udp': [{ HostIp: '::1', HostPort: '53' }],
    '5000/sctp': [{ HostIp: '0.0.0.0', HostPort: '0' }],
    '99/tcp': null,
  })
  assert.deepEqual(planned, [
    { protocol: 'tcp', containerPort: 80, hostIps: both, from: 8080, to: 8090 },
    { protocol: 'tcp', containerPort: 80, hostIps: ['127.0.0.1'], from: 0, to: 0 },
    { protocol: 'udp', containerPort: 53, hostIps: ['::1'], from: 53, to: 53 },
    { protocol: 'sctp', containerPort: 5000, hostIps: ['0.0.0.0'], from: 0, to: 0 },
  ])
})

test('planPorts() sends what names no address to the default one, and to both families where that is any', () => {
  const hostIps = (address: string) => planPorts({ '80': [{ HostIp: '', HostPort: '' }] }, address)[0]?.hostIps
  assert.deepEqual(['', '0.0.0.0', '::', '192.0.2.1', 'fd00::1'].map(hostIps), [
    both,
    both,
    both,
    ['192.0.2.1'],
    ['fd00::1'],
  ])
})

test('planPorts() refuses what is malformed', () => {
  const plan = (port: string, HostIp = '', HostPort = '1') => planPorts({ [port]: [{ HostIp, HostPort }] })
  for (const bad of ['x/tcp', '0/tcp', '65536/tcp', '80/foo', '80/tcp/x'])
    assert.throws(() => plan(bad), { kind: 'invalid' })
  for (const bad of ['1.2.3', 'fe80::1%eth0'])
    assert.throws(() => plan('80/tcp', bad), { kind: 'invalid', message: `invalid host IP address: ${bad}` })
  for (const bad of ['70000', '9-8', '1-', 'x']) assert.throws(() => plan('80/tcp', '', bad), { kind: 'invalid' })
})

const ways = (hostIps: readonly string[], target: PortTarget, use?: RelayUse, protocol: 'tcp' | 'sctp' = 'tcp') =>
  planRoutes({ protocol, hostIps, from: 1, to: 1, containerPort: 80 }, target, use).map(
    ({ hostIp, containerIp, via }) => `${hostIp} ${via} ${containerIp}`,
  )
const ipv4 = '172.17.0.2'
const ipv6 = 'fd00::2'

test('planRoutes() translates where the kernel can, relays where it cannot, and opens where nothing is translated', () => {
  assert.deepEqual(ways(both, { ipv4 }), ['0.0.0.0 nat 172.17.0.2', ':: relay 172.17.0.2'])
  assert.deepEqual(ways(both, { ipv4, ipv6 }), ['0.0.0.0 nat 172.17.0.2', ':: nat fd00::2'])
  assert.deepEqual(ways(['::1'], { ipv4, ipv6 }), ['::1 relay fd00::2'])
  assert.deepEqual(ways(both, { ipv6 }), [':: nat fd00::2'])
  assert.deepEqual(ways(both, { ipv4, ipv6, isRouted4: true, isRouted6: true }), [
    '0.0.0.0 routed 172.17.0.2',
    ':: routed fd00::2',
  ])
  assert.deepEqual(ways(both, { ipv4 }, undefined, 'sctp'), ['0.0.0.0 nat 172.17.0.2'])
})

test('planRoutes() relays what others would have to translate, and nothing without a relay', () => {
  assert.deepEqual(ways(both, { ipv4 }, 'all'), ['0.0.0.0 relay 172.17.0.2', ':: relay 172.17.0.2'])
  assert.deepEqual(ways(both, { ipv4, ipv6 }, { families: [4] }), ['0.0.0.0 relay 172.17.0.2', ':: nat fd00::2'])
  assert.deepEqual(ways(both, { ipv4, ipv6 }, { families: [6] }), ['0.0.0.0 nat 172.17.0.2', ':: relay fd00::2'])
  assert.deepEqual(ways(both, { ipv4 }, 'none'), ['0.0.0.0 nat 172.17.0.2'])
  assert.deepEqual(ways(['::1'], { ipv4, ipv6 }, 'none'), [])
})

test('toPortMap() shows no host port where the container’s own is reached', () => {
  const port = { protocol: 'tcp', hostIp: '0.0.0.0', containerIp: ipv4, containerPort: 80 } as const
  assert.deepEqual(
    toPortMap([
      { ...port, hostPort: 0, via: 'routed' },
      { ...port, hostIp: '::', hostPort: 81, via: 'relay' },
    ]),
    {
      '80/tcp': [
        { HostIp: '0.0.0.0', HostPort: '' },
        { HostIp: '::', HostPort: '81' },
      ],
    },
  )
})
