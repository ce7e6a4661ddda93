import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planPorts } from './ports.ts'

test('planPorts() decodes bindings, ranges and defaults', () => {
  const planned = planPorts({
    '80/tcp': [
      { HostIp: '', HostPort: '8080-8090' },
      { HostIp: '127.0.0.1', HostPort: '' },
    ],
    '53/udp': [{ HostIp: '0.0.0.0', HostPort: '53' }],
    '99/tcp': null,
  })
  assert.deepEqual(planned, [
    { protocol: 'tcp', containerPort: 80, hostIp: '0.0.0.0', from: 8080, to: 8090 },
    { protocol: 'tcp', containerPort: 80, hostIp: '127.0.0.1', from: 0, to: 0 },
    { protocol: 'udp', containerPort: 53, hostIp: '0.0.0.0', from: 53, to: 53 },
  ])
})

test('planPorts() refuses what is malformed or not served', () => {
  const plan = (port: string, HostIp = '', HostPort = '1') => planPorts({ [port]: [{ HostIp, HostPort }] })
  for (const bad of ['x/tcp', '0/tcp', '65536/tcp', '80/foo', '80/tcp/x'])
    assert.throws(() => plan(bad), { kind: 'invalid' })
  assert.throws(() => plan('80/tcp', '1.2.3'), { kind: 'invalid', message: 'invalid host IP address: 1.2.3' })
  for (const bad of ['70000', '9-8', '1-', 'x']) assert.throws(() => plan('80/tcp', '', bad), { kind: 'invalid' })
  assert.throws(() => plan('80/sctp'), { kind: 'notImplemented' })
  assert.throws(() => plan('80/tcp', '::1'), { kind: 'notImplemented' })
})
