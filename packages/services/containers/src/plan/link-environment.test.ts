import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkEnvironment, linkedPorts } from './link-environment.ts'

test('linkEnvironment() says what Docker says of a link', () => {
  const env = linkEnvironment({
    alias: 'al-ias',
    owner: 'b',
    address: '172.17.0.2',
    exposedPorts: ['90-91/udp', '1-2/tcp', '80/tcp', '2/sctp', '1/udp'],
    env: ['FOO=bar', 'HOME=/x', 'PATH=/bin', 'B=x y', 'PATHX=1'],
  })
  const port = (key: string, number: number, protocol: string) => [
    `AL_IAS_PORT_${key}=${protocol}://172.17.0.2:${number}`,
    `AL_IAS_PORT_${key}_ADDR=172.17.0.2`,
    `AL_IAS_PORT_${key}_PORT=${number}`,
    `AL_IAS_PORT_${key}_PROTO=${protocol}`,
  ]
  const range = (first: number, last: number, protocol: string) => [
    `AL_IAS_PORT_${first}_${protocol.toUpperCase()}_START=${protocol}://172.17.0.2:${first}`,
    `AL_IAS_PORT_${first}_${protocol.toUpperCase()}_PORT_START=${first}`,
    `AL_IAS_PORT_${first}_${protocol.toUpperCase()}_END=${protocol}://172.17.0.2:${last}`,
    `AL_IAS_PORT_${first}_${protocol.toUpperCase()}_PORT_END=${last}`,
  ]
  assert.deepEqual(env, [
    'AL_IAS_PORT=tcp://172.17.0.2:1',
    ...port('1_TCP', 1, 'tcp'),
    ...port('2_TCP', 2, 'tcp'),
    ...port('80_TCP', 80, 'tcp'),
    ...range(1, 2, 'tcp'),
    ...port('2_SCTP', 2, 'sctp'),
    ...port('1_UDP', 1, 'udp'),
    ...port('90_UDP', 90, 'udp'),
    ...port('91_UDP', 91, 'udp'),
    ...range(90, 91, 'udp'),
    'AL_IAS_NAME=/b/al-ias',
    'AL_IAS_ENV_FOO=bar',
    'AL_IAS_ENV_B=x y',
    'AL_IAS_ENV_PATHX=1',
  ])
})

test('linkEnvironment() of a container that exposes nothing names it only', () => {
  const none = { alias: 'a', owner: 'b', address: '1.2.3.4', exposedPorts: [], env: [] }
  assert.deepEqual(linkEnvironment(none), ['A_NAME=/b/a'])
  assert.doesNotMatch(linkEnvironment({ ...none, exposedPorts: ['1/tcp', '2/udp'] }).join(), /START/)
})

test('linkedPorts() takes ranges apart, and TCP first', () => {
  assert.deepEqual(
    linkedPorts(['7-8/udp', '7/TCP']).map(({ port, protocol }) => `${port}/${protocol}`),
    ['7/tcp', '7/udp', '8/udp'],
  )
})
