import { encodeTreeRecord, type TreeEntry, type TreeRecord } from '@berth/storage'
import { constants } from 'node:fs'
import { posix } from 'node:path'
import type { PassThrough } from 'node:stream'
import { grpcCode, GrpcError } from '@berth/buildkit-protocol'
import { followNames } from './follow-names.ts'

const { S_IFLNK, S_IFMT } = constants

/** Bytes of records that go on together. */
const gatherBytes = 64 << 10

/** Of records that may not be needed: some ten thousand. */
const waitingBytes = 2 << 20

/** Of what is kept in memory: a Dockerfile and its ignore files. */
const maxMemoryBytes = 4 << 20
const maxFiles = 1000

/** Small files of a client's, in memory. */
export interface ReceivedFiles {
  /** The text of a file, symlinks followed; undefined when there is none. */
  read(path: string): string | undefined
}

/** Where records go. */
export interface TreeSink {
  take(record: TreeRecord): void
  /** Waits where there is too much. `waiting`: it may turn out that nothing of it is needed; `all`: nothing more will come. */
  flush(how: 'waiting' | 'more' | 'all'): Promise<void>
}

/** Towards a worker, by the hundred: records are small. */
export class RecordSink implements TreeSink {
  readonly #records: PassThrough
  /** Called before the first of them. */
  readonly #onFirst: () => void
  #hasBegun = false
  #gathered: Buffer[] = []
  #gatheredBytes = 0

  constructor(records: PassThrough, onFirst: () => void) {
    this.#records = records
    this.#onFirst = onFirst
  }

  take(record: TreeRecord): void {
    const encoded = encodeTreeRecord(record)
    this.#gathered.push(encoded)
    this.#gatheredBytes += encoded.length
  }

  async flush(how: 'waiting' | 'more' | 'all'): Promise<void> {
    if (how !== 'all' && this.#gatheredBytes < (how === 'waiting' ? waitingBytes : gatherBytes)) return
    if (!this.#hasBegun) this.#onFirst()
    this.#hasBegun = true
    const gathered = Buffer.concat(this.#gathered)
    this.#gathered = []
    this.#gatheredBytes = 0
    if (this.#records.write(gathered)) return
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#records.off('drain', done)
        this.#records.off('close', done)
        resolve()
      }
      this.#records.once('drain', done)
      this.#records.once('close', done)
    })
  }
}

/** Keeps small files in memory. */
export class MemorySink implements TreeSink, ReceivedFiles {
  readonly #files = new Map<string, Buffer>()
  readonly #links = new Map<string, string>()
  readonly #open = new Map<number, { readonly path: string; readonly pieces: Uint8Array[] }>()
  #bytes = 0

  take(record: TreeRecord): void {
    if (record.kind === 'entry') this.#add(record.entry)
    if (this.#open.size + this.#files.size + this.#links.size > maxFiles)
      throw new GrpcError(grpcCode.invalidArgument, 'too many files')
    if (record.kind === 'data') this.#append(record.id, record.bytes)
    if (record.kind === 'end') this.#end(record.id)
  }

  async flush(): Promise<void> {}

  read(path: string): string | undefined {
    const name = followNames(this.#links, posix.normalize(`/${path}`).slice(1))
    return name === undefined ? undefined : this.#files.get(name)?.toString()
  }

  #add({ id, path, mode, link }: TreeEntry): void {
    if ((mode & S_IFMT) === S_IFLNK) this.#links.set(path, link)
    else this.#open.set(id, { path, pieces: [] })
  }

  #append(id: number, bytes: Uint8Array): void {
    this.#bytes += bytes.length
    if (this.#bytes > maxMemoryBytes) throw new GrpcError(grpcCode.invalidArgument, 'the files are too large')
    this.#open.get(id)?.pieces.push(bytes)
  }

  #end(id: number): void {
    const file = this.#open.get(id)
    if (file) this.#files.set(file.path, Buffer.concat(file.pieces))
    this.#open.delete(id)
  }
}
