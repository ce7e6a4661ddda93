import type { MessageInitShape } from '@bufbuild/protobuf'
import {
  type Packet,
  Packet_PacketType as PacketType,
  type PacketSchema,
  type StatSchema,
} from '../../generated/fsutil_pb.ts'
import { GrpcError, grpcCode } from '../grpc/error.ts'

/** One entry of a tree that is sent. */
export interface SentEntry {
  readonly stat: MessageInitShape<typeof StatSchema>
  /** Its content; undefined for what has none, further names of a file among them. */
  readonly open?: (() => Iterable<Uint8Array> | AsyncIterable<Uint8Array>) | undefined
}

/** The call that a tree is sent by, from whichever side. */
export interface PacketChannel {
  readonly messages: AsyncIterable<Packet>
  send(packet: MessageInitShape<typeof PacketSchema>): Promise<void>
  /** Says that nothing more is sent. */
  end(): void
  cancel(): void
}

/** The other side takes messages of 4 MiB. */
const maxPieceBytes = 1 << 20

/**
 * Sends a tree: entries in the order that fsutil has (names by their bytes, a directory before what is in it), then the
 * content of those that the other side asks for. Resolves to the bytes of content that went.
 */
export async function sendEntries(
  channel: PacketChannel,
  entries: AsyncIterable<SentEntry> | Iterable<SentEntry>,
  onProgress: (bytes: number) => void = () => undefined,
): Promise<number> {
  return await new Sender(channel, onProgress).run(entries)
}

class Sender {
  readonly #channel: PacketChannel
  readonly #onProgress: (bytes: number) => void
  /** By id; undefined for what has no content, or was asked for. */
  readonly #contents: SentEntry['open'][] = []
  /** One file after the other. */
  #sending: Promise<void> = Promise.resolve()
  #bytes = 0

  constructor(channel: PacketChannel, onProgress: (bytes: number) => void) {
    this.#channel = channel
    this.#onProgress = onProgress
  }

  async run(entries: AsyncIterable<SentEntry> | Iterable<SentEntry>): Promise<number> {
    let failure: { readonly error: unknown } | undefined
    const fail = (error: unknown) => {
      failure ??= { error }
      this.#channel.cancel()
    }
    const listing = this.#list(entries)
    listing.catch(fail)
    try {
      for await (const packet of this.#channel.messages) {
        if (packet.type === PacketType.PACKET_REQ) this.#request(packet, fail)
        else if (packet.type === PacketType.PACKET_FIN) await this.#finish(listing)
        else throw refusal(packet)
      }
    } catch (error) {
      throw failure ? failure.error : error
    }
    if (failure) throw failure.error
    await listing
    return this.#bytes
  }

  async #list(entries: AsyncIterable<SentEntry> | Iterable<SentEntry>): Promise<void> {
    for await (const { stat, open } of entries) {
      this.#contents.push(open)
      await this.#channel.send({ type: PacketType.PACKET_STAT, stat })
    }
    await this.#channel.send({ type: PacketType.PACKET_STAT })
  }

  async #finish(listing: Promise<void>): Promise<void> {
    await listing
    await this.#sending
    await this.#channel.send({ type: PacketType.PACKET_FIN })
    this.#channel.end()
  }

  #request({ id }: Packet, fail: (error: unknown) => void): void {
    const open = this.#contents[id]
    if (!open) throw new GrpcError(grpcCode.invalidArgument, `file ${id} does not exist`)
    this.#contents[id] = undefined
    this.#sending = this.#sending.then(() => this.#send(id, open()))
    this.#sending.catch(fail)
  }

  async #send(id: number, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += maxPieceBytes) {
        const data = chunk.subarray(at, at + maxPieceBytes)
        await this.#channel.send({ type: PacketType.PACKET_DATA, id, data })
        this.#bytes += data.length
        this.#onProgress(this.#bytes)
      }
    }
    await this.#channel.send({ type: PacketType.PACKET_DATA, id })
  }
}

function refusal({ type, data }: Packet): GrpcError {
  if (type !== PacketType.PACKET_ERR) return new GrpcError(grpcCode.invalidArgument, `unexpected packet ${type}`)
  return new GrpcError(grpcCode.unknown, `error from receiver: ${Buffer.from(data).toString()}`)
}
