import { decodeContainerCreate, emptyEndpoint, newestVersion } from '@berth/engine-api'
import type { Networks } from '@berth/networks'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listedPorts } from './listed-ports.ts'
import { openForTest } from './testing/open-for-test.ts'

const published = { '80/tcp': [{ HostIp: '::', HostPort: '8080' }] }

/** The ports of a container whose one network is this. */
async function portsOn(network: { driver: string; internal: boolean }, { start = true } = {}) {
  using engine = await openForTest()
  const body = { Image: 'busybox', ExposedPorts: { '80/tcp': {}, '7070': {} } }
  const { id } = await engine.containers.create({ ...decodeContainerCreate(body, newestVersion), name: 'web' })
  if (start) await engine.containers.start(id)
  const partial = {
    attachment: () => ({ endpoints: { one: { ...emptyEndpoint(), NetworkID: 'n1' } }, ports: published }),
    get: () => network,
  }
  return listedPorts({ networks: partial as unknown as Networks }, engine.containers.get(id))
}

test('listedPorts() shows ports that are only exposed beside those that are published', async () => {
  assert.deepEqual(await portsOn({ driver: 'bridge', internal: false }), { ...published, '7070/tcp': null })
})

test('listedPorts() of a container without the way of a bridge are those that are published', async () => {
  assert.deepEqual(await portsOn({ driver: 'host', internal: false }), published)
  assert.deepEqual(await portsOn({ driver: 'bridge', internal: true }), published)
})

test('listedPorts() of a container that does not run are none', async () => {
  assert.deepEqual(await portsOn({ driver: 'bridge', internal: false }, { start: false }), {})
})
