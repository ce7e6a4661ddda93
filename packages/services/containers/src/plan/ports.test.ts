import assert from 'node:assert/strict'
import { test } from 'node:test'
import { publishedPorts } from './ports.ts'

const anyPort = [{ HostIp: '', HostPort: '' }]
const bound = [{ HostIp: '127.0.0.1', HostPort: '8080' }]

test('publishedPorts() adds every exposed port without a binding when all are to be published', () => {
  const exposed = { '80/tcp': {}, '70-71/udp': {}, '90': {} }
  const PortBindings = { '80/tcp': bound, '71/udp': [] }
  assert.deepEqual(publishedPorts(exposed, { PortBindings, PublishAllPorts: true }), {
    '80/tcp': bound,
    '70/udp': anyPort,
    '71/udp': anyPort,
    '90/tcp': anyPort,
  })
  assert.deepEqual(publishedPorts(exposed, { PortBindings, PublishAllPorts: false }), PortBindings)
})
