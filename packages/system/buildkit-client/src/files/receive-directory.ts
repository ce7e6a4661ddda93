import { mkdirSync } from 'node:fs'
import { type PacketChannel, Packet_PacketType as PacketType, PacketReceiver } from '@berth/buildkit-protocol'
import { TreeWriter } from './tree-writer.ts'

/** Receives a tree into a directory, which is made if it is not there. */
export async function receiveDirectory(channel: PacketChannel, root: string): Promise<void> {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  using writer = new TreeWriter(root)
  const receiver = new PacketReceiver(writer)
  for await (const packet of channel.messages) {
    if (packet.type === PacketType.PACKET_FIN) break
    const reply = receiver.take(packet)
    if (reply) await channel.send(reply)
  }
  receiver.requireWhole('the engine')
  writer.finish()
}
