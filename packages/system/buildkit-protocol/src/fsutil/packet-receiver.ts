import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Packet,
  Packet_PacketType as PacketType,
  type PacketSchema,
  type Stat,
} from '../../generated/fsutil_pb.ts'
import { GrpcError, grpcCode } from '../grpc/error.ts'

/** What is done with a tree that comes. What it throws ends the transfer. */
export interface EntrySink {
  /** Takes the next entry, which is judged here; true when its content is wanted, under the id. */
  entry(id: number, stat: Stat): boolean
  /** A piece of a file that was wanted, in order. */
  data(id: number, bytes: Uint8Array): void
  /** The file is whole. */
  end(id: number): void
}

type Reply = MessageInitShape<typeof PacketSchema>

/** The receiving side of fsutil's protocol, from whichever side the tree comes. */
export class PacketReceiver {
  readonly #sink: EntrySink
  /** Ids of files whose content is asked for and not whole yet. */
  readonly #pending = new Set<number>()
  #nextId = 0
  #isListed = false
  #hasFinished = false
  /** Of content. */
  bytes = 0

  constructor(sink: EntrySink) {
    this.#sink = sink
  }

  /** Takes a packet; returns the one that answers it. */
  take({ type, stat, id, data }: Packet): Reply | undefined {
    switch (type) {
      case PacketType.PACKET_STAT:
        return stat ? this.#entry(stat) : this.#listed()
      case PacketType.PACKET_DATA:
        return this.#data(id, data)
      case PacketType.PACKET_FIN:
        return undefined
      case PacketType.PACKET_ERR:
        throw new GrpcError(grpcCode.unknown, `error from sender: ${Buffer.from(data).toString()}`)
      default:
        throw new GrpcError(grpcCode.invalidArgument, `unexpected packet ${type}`)
    }
  }

  /** Throws `unknown` when the sender, `who`, has ended before all was there. */
  requireWhole(who: string): void {
    if (!this.#hasFinished) throw new GrpcError(grpcCode.unknown, `${who} ended its files too early`)
  }

  #entry(stat: Stat): Reply | undefined {
    if (this.#isListed) throw new GrpcError(grpcCode.invalidArgument, 'an entry came after the last one')
    const id = this.#nextId++
    if (!this.#sink.entry(id, stat)) return undefined
    this.#pending.add(id)
    return { type: PacketType.PACKET_REQ, id }
  }

  #listed(): Reply | undefined {
    this.#isListed = true
    return this.#finishWhenWhole()
  }

  #data(id: number, bytes: Uint8Array): Reply | undefined {
    if (!this.#pending.has(id)) throw new GrpcError(grpcCode.invalidArgument, `nobody asked for file ${id}`)
    this.bytes += bytes.length
    if (bytes.length > 0) {
      this.#sink.data(id, bytes)
      return undefined
    }
    this.#pending.delete(id)
    this.#sink.end(id)
    return this.#finishWhenWhole()
  }

  #finishWhenWhole(): Reply | undefined {
    if (!this.#isListed || this.#pending.size > 0 || this.#hasFinished) return undefined
    this.#hasFinished = true
    return { type: PacketType.PACKET_FIN }
  }
}
