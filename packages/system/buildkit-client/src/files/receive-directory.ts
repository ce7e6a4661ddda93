import { mkdirSync } from 'node:fs'
import {
  type Packet,
  type PacketChannel,
  Packet_PacketType as PacketType,
  GrpcError,
  grpcCode,
} from '@berth/buildkit-protocol'
import { TreeWriter } from './tree-writer.ts'

/** Receives a tree into a directory, which is made if it is not there. */
export async function receiveDirectory(channel: PacketChannel, root: string): Promise<void> {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  using writer = new TreeWriter(root)
  const receiver = new Receiver(channel, writer)
  for await (const packet of channel.messages) {
    if (packet.type === PacketType.PACKET_FIN) break
    await receiver.take(packet)
  }
  if (!receiver.isWhole) throw new GrpcError(grpcCode.unknown, 'the engine ended the output too early')
  writer.finish()
}

class Receiver {
  readonly #channel: PacketChannel
  readonly #writer: TreeWriter
  #nextId = 0
  #pending = 0
  #isListed = false

  constructor(channel: PacketChannel, writer: TreeWriter) {
    this.#channel = channel
    this.#writer = writer
  }

  get isWhole(): boolean {
    return this.#isListed && this.#pending === 0
  }

  async take({ type, stat, id, data }: Packet): Promise<void> {
    switch (type) {
      case PacketType.PACKET_STAT:
        if (stat === undefined) this.#isListed = true
        else if (this.#writer.add(this.#nextId, stat)) await this.#ask(this.#nextId)
        this.#nextId++
        break
      case PacketType.PACKET_DATA:
        if (data.length > 0) return this.#writer.write(id, data)
        this.#writer.end(id)
        this.#pending--
        break
      case PacketType.PACKET_ERR:
        throw new GrpcError(grpcCode.unknown, `error from sender: ${Buffer.from(data).toString()}`)
      default:
        throw new GrpcError(grpcCode.invalidArgument, `unexpected packet ${type}`)
    }
    if (this.isWhole) await this.#channel.send({ type: PacketType.PACKET_FIN })
  }

  async #ask(id: number): Promise<void> {
    this.#pending++
    await this.#channel.send({ type: PacketType.PACKET_REQ, id })
  }
}
