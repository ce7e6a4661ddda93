import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readAttributes, readText } from './message.ts'
import { RouteRequest, type StackedKind } from './route-socket.ts'

const headerBytes = 16 + 16

/** What a request says of one link: the numbers are those of include/uapi/linux/if_link.h. */
function decode(kind: StackedKind) {
  const request = new RouteRequest().addStacked({
    kind,
    parent: 7,
    mtu: 1400,
    netns: 5,
    name: 'eth1',
    mac: '02:42:0a:07:00:01',
  })
  const bytes = Buffer.from(request.message.bytes)
  const link = readAttributes(bytes, headerBytes, bytes.length)
  const info = link.get(18)!
  const inner = readAttributes(info, 0, info.length)
  const data = inner.get(2)!
  return {
    name: readText(link.get(3)),
    parent: link.get(5)?.readUInt32LE(),
    mtu: link.get(4)?.readUInt32LE(),
    netns: link.get(28)?.readUInt32LE(),
    mac: link.get(1)?.toString('hex'),
    kind: readText(inner.get(1)),
    data: Object.fromEntries([...readAttributes(data, 0, data.length)].map(([type, value]) => [type, [...value]])),
  }
}

const common = { name: 'eth1', parent: 7, mtu: 1400, netns: 5 }

test('RouteRequest.addStacked() asks for ipvlan links with mode and flags of two bytes, and no MAC address', () => {
  assert.deepEqual(decode({ driver: 'ipvlan', mode: 'l2', flag: 'bridge' }), {
    ...common,
    mac: undefined,
    kind: 'ipvlan',
    data: { 1: [0, 0], 2: [0, 0] },
  })
  const { data } = decode({ driver: 'ipvlan', mode: 'l3s', flag: 'vepa' })
  assert.deepEqual(data, { 1: [2, 0], 2: [2, 0] })
})

test('RouteRequest.addStacked() asks for macvlan links with a mode of four bytes and their MAC address', () => {
  assert.deepEqual(decode({ driver: 'macvlan', mode: 'bridge' }), {
    ...common,
    mac: '02420a070001',
    kind: 'macvlan',
    data: { 1: [4, 0, 0, 0] },
  })
})
