import type { MessageInitShape } from '@bufbuild/protobuf'
import { constants } from 'node:fs'
import { lstat, open, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Packet, Packet_PacketType as PacketType, type StatSchema } from '../../generated/fsutil_pb.ts'
import type { ClientCall } from '../grpc/client.ts'
import { GrpcError, grpcCode } from '../grpc/error.ts'
import { sessionMethods } from '../session/methods.ts'
import type { Session } from '../session/session.ts'
import { toGoMode } from './go-mode.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, S_IFDIR, S_IFMT, S_IFREG } = constants

export interface SendOptions {
  /** Number of the client's exporter. */
  readonly exporterId: number
  readonly signal: AbortSignal
  readonly onProgress: (bytes: number) => void
}

export interface SendTreeOptions extends SendOptions {
  /** The time of all files, in seconds since 1970; undefined: their own. */
  readonly epochSeconds: number | undefined
}

/** What is sent: all that is below `root`, which does not change meanwhile, and files beside it. */
export interface SentTree {
  readonly root: string
  /** Into a folder of this name; '' is the top. */
  readonly folder: string
  readonly files: readonly { readonly path: string; readonly content: Buffer }[]
}

/** Sends a tree to a client that exports a directory; resolves to the bytes of its files. */
export async function sendTree(session: Session, tree: SentTree, options: SendTreeOptions): Promise<number> {
  const metadata = { 'buildkit-attachable-exporter-id': String(options.exporterId) }
  const call = session.client.open(sessionMethods.sendTree, { metadata, signal: options.signal })
  return await new Sender(call, tree, options).run()
}

type SendCall = ClientCall<typeof sessionMethods.sendTree.input, typeof sessionMethods.sendTree.output>

class Sender {
  readonly #call: SendCall
  readonly #root: string
  readonly #folder: string
  readonly #extra: ReadonlyMap<string, Buffer>
  readonly #options: SendTreeOptions
  /** Paths by their ids; '' for what is no file. */
  readonly #files: string[] = []
  /** The first name of a file that has several, by its inode. */
  readonly #links = new Map<bigint, string>()
  /** One file after the other. */
  #sending: Promise<void> = Promise.resolve()
  #bytes = 0

  constructor(call: SendCall, { root, folder, files }: SentTree, options: SendTreeOptions) {
    this.#call = call
    this.#root = root
    this.#folder = folder
    this.#extra = new Map(files.map(({ path, content }) => [path, content]))
    this.#options = options
  }

  async run(): Promise<number> {
    const listing = this.#listAll().then(() => this.#call.send({ type: PacketType.PACKET_STAT }))
    listing.catch(() => this.#call.cancel())
    for await (const packet of this.#call.messages) {
      if (packet.type === PacketType.PACKET_REQ) this.#request(packet)
      else if (packet.type === PacketType.PACKET_FIN) await this.#finish(listing)
      else throw refusal(packet)
    }
    await listing
    return this.#bytes
  }

  async #finish(listing: Promise<void>): Promise<void> {
    await listing
    await this.#sending
    await this.#call.send({ type: PacketType.PACKET_FIN })
    this.#call.end()
  }

  #request({ id }: Packet): void {
    const path = this.#files[id]
    if (!path) throw new GrpcError(grpcCode.invalidArgument, `file ${id} does not exist`)
    this.#files[id] = ''
    this.#sending = this.#sending.then(() => this.#send(id, path))
    this.#sending.catch(() => this.#call.cancel())
  }

  async #send(id: number, path: string): Promise<void> {
    const extra = this.#extra.get(path)
    if (extra) {
      await this.#call.send({ type: PacketType.PACKET_DATA, id, data: extra })
      await this.#call.send({ type: PacketType.PACKET_DATA, id })
      return
    }
    await using file = await open(join(this.#root, path), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    for await (const chunk of file.createReadStream({ highWaterMark: 256 << 10, autoClose: false })) {
      const data = chunk as Buffer
      await this.#call.send({ type: PacketType.PACKET_DATA, id, data })
      this.#bytes += data.length
      this.#options.onProgress(this.#bytes)
    }
    await this.#call.send({ type: PacketType.PACKET_DATA, id })
  }

  async #listAll(): Promise<void> {
    if (this.#folder !== '') {
      this.#files.push('')
      await this.#stat({ path: this.#folder, mode: toGoMode(S_IFDIR | 0o755), modTime: this.#time(0n) })
    }
    await this.#list('')
  }

  /** In the order that the client expects: names by their bytes, a directory before what is in it. */
  async #list(directory: string): Promise<void> {
    const own = await readdir(join(this.#root, directory))
    const names = directory === '' ? [...new Set([...own, ...this.#extra.keys()])] : own
    for (const name of names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
      const path = directory === '' ? name : `${directory}/${name}`
      const isDirectory = await this.#announce(path)
      if (isDirectory) await this.#list(path)
    }
  }

  async #announce(path: string): Promise<boolean> {
    const extra = this.#extra.get(path)
    if (extra) {
      this.#files.push(path)
      const mode = toGoMode(S_IFREG | 0o600)
      await this.#stat({ path: this.#place(path), mode, size: BigInt(extra.length), modTime: this.#time(0n) })
      return false
    }
    const status = await lstat(join(this.#root, path), { bigint: true })
    const mode = Number(status.mode)
    const isFile = (mode & S_IFMT) === S_IFREG
    const first = isFile && status.nlink > 1n ? this.#links.get(status.ino) : undefined
    if (isFile && first === undefined) this.#links.set(status.ino, path)
    this.#files.push(isFile && first === undefined ? path : '')
    const linkname = status.isSymbolicLink()
      ? await readlink(join(this.#root, path))
      : first === undefined
        ? ''
        : this.#place(first)
    await this.#stat({
      path: this.#place(path),
      mode: toGoMode(mode),
      uid: Number(status.uid),
      gid: Number(status.gid),
      size: isFile ? status.size : 0n,
      modTime: this.#time(status.mtimeNs),
      linkname,
      devmajor: major(status.rdev),
      devminor: minor(status.rdev),
    })
    return status.isDirectory()
  }

  async #stat(stat: MessageInitShape<typeof StatSchema>): Promise<void> {
    await this.#call.send({ type: PacketType.PACKET_STAT, stat })
  }

  /** Of what is at `path` beneath the root, for the client. */
  #place(path: string): string {
    return this.#folder === '' ? path : `${this.#folder}/${path}`
  }

  #time(ownNs: bigint): bigint {
    const { epochSeconds } = this.#options
    return epochSeconds === undefined ? ownNs : BigInt(epochSeconds) * 1_000_000_000n
  }
}

/** A dev_t taken apart as glibc does (makedev(3)). */
const major = (device: bigint): bigint => ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
const minor = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & 0xffffff00n)

function refusal({ type, data }: Packet): GrpcError {
  if (type !== PacketType.PACKET_ERR) return new GrpcError(grpcCode.invalidArgument, `unexpected packet ${type}`)
  return new GrpcError(grpcCode.unknown, `error from receiver: ${Buffer.from(data).toString()}`)
}
