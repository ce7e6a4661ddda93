import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkEnvironment, linkedPorts } from './link-environment.ts'

test('linkEnvironment() says what Docker says of a link', () => {
  const env = linkEnvironment({
    alias: 'al-ias',
    owner: 'b',
    address: '172.17.0.2',
    exposedPorts: ['100-102/tcp', '80/tcp', '80/udp'],
    env: ['FOO=bar', 'HOME=/x', 'PATH=/bin', 'B=x y', 'PATHX=1'],
  })
  const port = (key: string, number: number, protocol: string) => [
    `AL_IAS_PORT_${key}=${protocol}://172.17.0.2:${number}`,
    `AL_IAS_PORT_${key}_ADDR=172.17.0.2`,
    `AL_IAS_PORT_${key}_PORT=${number}`,
    `AL_IAS_PORT_${key}_PROTO=${protocol}`,
  ]
  assert.deepEqual(env, [
    'AL_IAS_PORT=tcp://172.17.0.2:80',
    'AL_IAS_PORT_100_TCP_START=tcp://172.17.0.2:100',
    'AL_IAS_PORT_100_TCP_ADDR=172.17.0.2',
    'AL_IAS_PORT_100_TCP_PROTO=tcp',
    'AL_IAS_PORT_100_TCP_PORT_START=100',
    'AL_IAS_PORT_100_TCP_END=tcp://172.17.0.2:102',
    'AL_IAS_PORT_100_TCP_PORT_END=102',
    ...port('80_TCP', 80, 'tcp'),
    ...port('80_UDP', 80, 'udp'),
    ...port('100_TCP', 100, 'tcp'),
    ...port('101_TCP', 101, 'tcp'),
    ...port('102_TCP', 102, 'tcp'),
    'AL_IAS_NAME=/b/al-ias',
    'AL_IAS_ENV_FOO=bar',
    'AL_IAS_ENV_B=x y',
    'AL_IAS_ENV_PATHX=1',
  ])
})

test('linkEnvironment() of a container that exposes nothing names it only', () => {
  const none = { alias: 'a', owner: 'b', address: '1.2.3.4', exposedPorts: [], env: [] }
  assert.deepEqual(linkEnvironment(none), ['A_NAME=/b/a'])
  assert.doesNotMatch(linkEnvironment({ ...none, exposedPorts: ['1/tcp', '2/tcp'] }).join(), /START/)
})

test('linkedPorts() takes ranges apart, and TCP first', () => {
  assert.deepEqual(
    linkedPorts(['7-8/udp', '7/TCP']).map(({ port, protocol }) => `${port}/${protocol}`),
    ['7/tcp', '7/udp', '8/udp'],
  )
})
