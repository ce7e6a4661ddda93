import type { TreeEntry } from '@berth/storage'
import { constants } from 'node:fs'
import { PassThrough } from 'node:stream'
import {
  type ClientCall,
  type EntrySink,
  fromGoMode,
  type Packet,
  Packet_PacketType as PacketType,
  PacketReceiver,
  sessionMethods,
  type Stat,
} from '@berth/buildkit-protocol'
import type { Session } from '../session/session.ts'
import { MemorySink, type ReceivedFiles, RecordSink, type TreeSink } from './tree-sinks.ts'

const { S_IFLNK, S_IFMT, S_IFREG } = constants

/** A directory of the client's, and what of it. */
export interface WantedTree {
  /** `context`, `dockerfile`, or a named context. */
  readonly name: string
  readonly excludes?: readonly string[]
  /** Only these, with what their symlinks lead to; undefined: all. */
  readonly follows?: readonly string[] | undefined
}

export interface ReceiveOptions {
  readonly signal: AbortSignal
  /** Takes the entries as they come, as fast as it can. */
  readonly store: (records: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>
  /** Bytes so far. */
  readonly onProgress: (bytes: number) => void
  /** Files that are here, as they were described: those that are the same now are not asked for. */
  readonly known?: ReadonlyMap<string, string> | undefined
}

/** What came. */
export interface ReceivedTree {
  readonly sentBytes: number
  /** Of all files. */
  readonly sizeBytes: number
  /** How each file was described, by its path. */
  readonly marks: ReadonlyMap<string, string>
}

/** Records that wait to be written before the client has to. */
const bufferedBytes = 4 << 20

/** Receives a directory of the client's. Fails when either side does. */
export async function receiveTree(
  session: Session,
  wanted: WantedTree,
  options: ReceiveOptions,
): Promise<ReceivedTree> {
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const call = session.client.open(sessionMethods.syncFiles, { metadata: metadataOf(wanted), signal })
  const records = new PassThrough({ highWaterMark: bufferedBytes })
  const stored = options.store(records, signal)
  const receiver = new Receiver(call, new RecordSink(records), options)
  try {
    // Whichever fails first is the reason.
    await Promise.all([stored, receiver.run().then(() => records.end())])
    return { sentBytes: receiver.bytes, sizeBytes: receiver.sizeBytes, marks: receiver.marks }
  } catch (error) {
    failed.abort(error)
    records.destroy()
    await stored.catch(() => {})
    throw options.signal.aborted ? options.signal.reason : error
  }
}

/** Receives small files of the client's into memory. */
export async function receiveFiles(
  session: Session,
  wanted: WantedTree,
  options: Pick<ReceiveOptions, 'signal' | 'onProgress'>,
): Promise<ReceivedFiles> {
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const call = session.client.open(sessionMethods.syncFiles, { metadata: metadataOf(wanted), signal })
  const sink = new MemorySink()
  try {
    await new Receiver(call, sink, options).run()
    return sink
  } catch (error) {
    failed.abort(error)
    throw options.signal.aborted ? options.signal.reason : error
  }
}

type SyncCall = ClientCall<typeof sessionMethods.syncFiles.input, typeof sessionMethods.syncFiles.output>

class Receiver implements EntrySink {
  readonly #call: SyncCall
  readonly #sink: TreeSink
  readonly #onProgress: (bytes: number) => void
  readonly #packets = new PacketReceiver(this)
  readonly #known: ReadonlyMap<string, string>
  sizeBytes = 0
  readonly marks = new Map<string, string>()

  constructor(
    call: SyncCall,
    sink: TreeSink,
    { onProgress, known = new Map() }: Pick<ReceiveOptions, 'onProgress' | 'known'>,
  ) {
    this.#call = call
    this.#sink = sink
    this.#onProgress = onProgress
    this.#known = known
  }

  get bytes(): number {
    return this.#packets.bytes
  }

  async run(): Promise<void> {
    for await (const batch of this.#call.batches) {
      for (const packet of batch) this.#take(packet)
      this.#onProgress(this.bytes)
      await this.#sink.flush(false)
    }
    await this.#sink.flush(true)
    this.#packets.requireWhole('the client')
  }

  #take(packet: Packet): void {
    const reply = this.#packets.take(packet)
    if (reply) this.#call.post(reply)
    if (packet.type === PacketType.PACKET_FIN) this.#call.end()
  }

  entry(id: number, stat: Stat): boolean {
    const entry = entryOf(stat, id)
    this.#sink.take({ kind: 'entry', entry })
    if ((entry.mode & S_IFMT) !== S_IFREG || entry.link !== '') return false
    const mark = markOf(entry)
    this.sizeBytes += entry.sizeBytes
    this.marks.set(entry.path, mark)
    const isSame = this.#known.get(entry.path) === mark
    if (isSame) this.#sink.take({ kind: 'same', id })
    return !isSame
  }

  data(id: number, bytes: Uint8Array): void {
    this.#sink.take({ kind: 'data', id, bytes })
  }

  end(id: number): void {
    this.#sink.take({ kind: 'end', id })
  }
}

/** Whether a file is the same as another, BuildKit judges by this. */
const markOf = ({ mode, uid, gid, sizeBytes, mtimeNs }: TreeEntry): string =>
  `${mode}:${uid}:${gid}:${sizeBytes}:${mtimeNs}`

/** The path is judged where it is made. */
function entryOf(stat: Stat, id: number): TreeEntry {
  const mode = fromGoMode(stat.mode)
  const hasLink = [S_IFLNK, S_IFREG].includes(mode & S_IFMT)
  return {
    id,
    path: stat.path,
    mode,
    uid: stat.uid,
    gid: stat.gid,
    sizeBytes: Number(stat.size),
    mtimeNs: stat.modTime,
    link: hasLink ? stat.linkname : '',
    device: { major: Number(stat.devmajor), minor: Number(stat.devminor) },
  }
}

function metadataOf({ name, excludes = [], follows = [] }: WantedTree): Record<string, string | string[]> {
  return { 'dir-name': name, ...encoded('exclude-patterns', excludes), ...encoded('followpaths', follows) }
}

/** Metadata is ASCII: when one of the values is not, all of that name are escaped as in a URL's query, and that is said. */
function encoded(name: string, values: readonly string[]): Record<string, string | string[]> {
  if (values.length === 0) return {}
  const isPlain = values.every((value) => /^[\u0020-\u007E]*$/.test(value))
  if (isPlain) return { [name]: [...values] }
  return { [name]: values.map((value) => encodeURIComponent(value).replaceAll('%20', '+')), [`${name}-encoded`]: '1' }
}
