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

export interface ReceiveOptions<T> {
  readonly signal: AbortSignal
  /** Takes the entries as they come, as fast as it can. Not called where all is as it is known. */
  readonly store: (records: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<T>
  /** Bytes so far. */
  readonly onProgress: (bytes: number) => void
  /** What is here, as it was described: files that are the same now are not asked for. */
  readonly known?: ReadonlyMap<string, string> | undefined
}

/** What came. */
export interface ReceivedTree<T> {
  readonly sentBytes: number
  /** Of all files. */
  readonly sizeBytes: number
  /** How each entry was described, by its path. */
  readonly marks: ReadonlyMap<string, string>
  /** Undefined: all is as it was known. */
  readonly stored: T | undefined
}

/** Records that wait to be written before the client has to. */
const bufferedBytes = 4 << 20

/**
 * Receives a directory of the client's, and stores it from the first entry on that is not as it was known. Fails when either
 * side does.
 */
export async function receiveTree<T>(
  session: Session,
  wanted: WantedTree,
  options: ReceiveOptions<T>,
): Promise<ReceivedTree<T>> {
  const failed = new AbortController()
  const signal = AbortSignal.any([options.signal, failed.signal])
  const call = session.client.open(sessionMethods.syncFiles, { metadata: metadataOf(wanted), signal })
  const records = new PassThrough({ highWaterMark: bufferedBytes })
  const stored = Promise.withResolvers<T | undefined>()
  let storing: Promise<T> | undefined
  const begin = () => {
    storing = options.store(records, signal)
    storing.then(stored.resolve, stored.reject)
  }
  const receiver = new Receiver(call, new RecordSink(records, begin), options)
  const received = async () => {
    await receiver.run()
    if (!storing) stored.resolve(undefined)
    records.end()
  }
  try {
    // Whichever fails first is the reason.
    const [made] = await Promise.all([stored.promise, received()])
    const { bytes: sentBytes, sizeBytes, marks } = receiver
    return { sentBytes, sizeBytes, marks, stored: made }
  } catch (error) {
    failed.abort(error)
    records.destroy()
    await storing?.catch(() => undefined)
    throw options.signal.aborted ? options.signal.reason : error
  }
}

/** Receives small files of the client's into memory. */
export async function receiveFiles(
  session: Session,
  wanted: WantedTree,
  options: Pick<ReceiveOptions<void>, 'signal' | 'onProgress'>,
): Promise<ReceivedFiles> {
  const { signal } = options
  const call = session.client.open(sessionMethods.syncFiles, { metadata: metadataOf(wanted), signal })
  const sink = new MemorySink()
  try {
    await new Receiver(call, sink, options).run()
    return sink
  } catch (error) {
    // What a failure leaves of the call is cancelled by who reads its messages.
    throw signal.aborted ? signal.reason : error
  }
}

type SyncCall = ClientCall<typeof sessionMethods.syncFiles.input, typeof sessionMethods.syncFiles.output>

class Receiver implements EntrySink {
  readonly #call: SyncCall
  readonly #sink: TreeSink
  readonly #onProgress: (bytes: number) => void
  readonly #packets = new PacketReceiver(this)
  readonly #known: ReadonlyMap<string, string> | undefined
  #isSame: boolean
  sizeBytes = 0
  readonly marks = new Map<string, string>()

  constructor(
    call: SyncCall,
    sink: TreeSink,
    { onProgress, known }: Pick<ReceiveOptions<void>, 'onProgress' | 'known'>,
  ) {
    this.#call = call
    this.#sink = sink
    this.#onProgress = onProgress
    this.#known = known
    this.#isSame = known !== undefined
  }

  get bytes(): number {
    return this.#packets.bytes
  }

  async run(): Promise<void> {
    for await (const batch of this.#call.batches) {
      for (const packet of batch) this.#take(packet)
      this.#onProgress(this.bytes)
      await this.#sink.flush(this.#isSame ? 'waiting' : 'more')
    }
    this.#packets.requireWhole('the client')
    if (this.#isSame && this.marks.size === this.#known?.size) return
    await this.#sink.flush('all')
  }

  #take(packet: Packet): void {
    const reply = this.#packets.take(packet)
    if (reply) this.#call.post(reply)
    if (packet.type === PacketType.PACKET_FIN) this.#call.end()
  }

  entry(id: number, stat: Stat): boolean {
    const entry = entryOf(stat, id)
    this.#sink.take({ kind: 'entry', entry })
    const mark = markOf(entry)
    this.marks.set(entry.path, mark)
    const isSame = this.#known?.get(entry.path) === mark
    this.#isSame &&= isSame
    if ((entry.mode & S_IFMT) !== S_IFREG || entry.link !== '') return false
    this.sizeBytes += entry.sizeBytes
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

/** Whether a file is the same as another, BuildKit judges by this; of what is none, what it leads to counts too. */
const markOf = ({ mode, uid, gid, sizeBytes, mtimeNs, link, device }: TreeEntry): string =>
  `${mode}:${uid}:${gid}:${sizeBytes}:${mtimeNs}:${device.major}:${device.minor}:${link}`

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
