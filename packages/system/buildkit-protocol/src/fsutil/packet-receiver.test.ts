import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, type MessageInitShape } from '@bufbuild/protobuf'
import { Packet_PacketType as PacketType, PacketSchema } from '../../generated/fsutil_pb.ts'
import { PacketReceiver } from './packet-receiver.ts'

const { PACKET_DATA, PACKET_ERR, PACKET_FIN, PACKET_REQ, PACKET_STAT } = PacketType

function setUp() {
  const taken: unknown[] = []
  const receiver = new PacketReceiver({
    entry: (id, { path }) => taken.push([id, path]) > 0 && path !== 'directory',
    data: (id, bytes) => void taken.push([id, bytes.length]),
    end: (id) => void taken.push([id]),
  })
  const take = (packet: MessageInitShape<typeof PacketSchema>) => receiver.take(create(PacketSchema, packet))
  return { taken, receiver, take }
}

const stat = (path: string) => ({ type: PACKET_STAT, stat: { path } })
const data = Buffer.from('x')

test('PacketReceiver asks for what is wanted, and finishes when all of it is there', () => {
  const { taken, receiver, take } = setUp()
  assert.equal(take(stat('directory')), undefined)
  assert.deepEqual(take(stat('file')), { type: PACKET_REQ, id: 1 })
  assert.equal(take({ type: PACKET_DATA, id: 1, data }), undefined)
  assert.equal(take({ type: PACKET_STAT }), undefined)
  assert.throws(() => receiver.requireWhole('the client'), /the client ended its files too early/)
  assert.deepEqual(take({ type: PACKET_DATA, id: 1 }), { type: PACKET_FIN })
  assert.equal(take({ type: PACKET_FIN }), undefined)
  receiver.requireWhole('the client')
  assert.deepEqual([taken, receiver.bytes], [[[0, 'directory'], [1, 'file'], [1, 1], [1]], 1])
})

test('PacketReceiver refuses what was not asked for, comes too late, or is no packet', () => {
  const { take } = setUp()
  assert.throws(() => take({ type: PACKET_DATA, id: 0, data }), /nobody asked for file 0/)
  assert.throws(() => take({ type: PACKET_ERR, data: Buffer.from('no') }), /error from sender: no/)
  assert.throws(() => take({ type: PACKET_REQ }), /unexpected packet 1/)
  assert.deepEqual(take({ type: PACKET_STAT }), { type: PACKET_FIN })
  assert.throws(() => take(stat('late')), /an entry came after the last one/)
  assert.equal(take({ type: PACKET_STAT }), undefined)
})
