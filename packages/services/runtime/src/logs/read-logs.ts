import { Readable } from 'node:stream'
import { nowNs } from '@berth/base'
import type { LogFollow, LogQuery, ReadLogs } from '../log-query.ts'
import type { LogDecoder, LogFormat } from './decoder.ts'
import { jsonFileFormat } from './json-file-decoder.ts'
import { localFormat } from './local-decoder.ts'
import { LogChanges } from './log-changes.ts'
import { closeAll, currentIdentity, type LogFile, openLogFiles, openLogFilesAfter } from './log-files.ts'
import type { OpenFile } from './open-file.ts'

const formats: Record<'json-file' | 'local', LogFormat> = { 'json-file': jsonFileFormat, local: localFormat }

/**
 * Reads a log, rotated and compressed files included; with `follow` also what is written meanwhile, until `ended` has
 * resolved and all is delivered, or `signal` aborts. Each buffer holds whole entries and is the consumer's. The driver
 * `none` has nothing to read.
 */
export const readLogs: ReadLogs = (target, query, follow) =>
  target.driver === 'none' ? nothing() : new LogReader(target.path, formats[target.driver], query).read(follow)

async function* nothing(): AsyncGenerator<Buffer> {}

class LogReader {
  readonly #path: string
  readonly #format: LogFormat
  readonly #query: LogQuery
  readonly #decoder: LogDecoder
  #files: LogFile[] = []
  /** Of the current file, from where reading goes on; undefined while there is none. */
  #current: FileReader | undefined

  constructor(path: string, format: LogFormat, query: LogQuery) {
    this.#path = path
    this.#format = format
    this.#query = query
    this.#decoder = format.decoder(query)
  }

  async *read(follow: LogFollow | undefined): AsyncGenerator<Buffer> {
    // Watched before the first look, so that nothing is written unnoticed in between.
    using changes = follow && new LogChanges(this.#path, follow)
    this.#files = await openLogFiles(this.#path)
    try {
      const { first, start } = await this.#tailStart(this.#files)
      closeAll(this.#files.splice(0, first))
      yield* this.#readFiles(start)
      if (changes) yield* this.#follow(changes)
    } finally {
      closeAll(this.#files)
    }
  }

  /** All files to their ends; the first one from `start` on. */
  async *#readFiles(start: number): AsyncGenerator<Buffer> {
    for (const [index, file] of this.#files.entries()) {
      const position = index === 0 ? start : 0
      if (file.compressed) yield* readCompressed(file, this.#decoder)
      else yield* (this.#current = new FileReader(file, this.#decoder, position)).toEnd()
    }
  }

  async *#follow(changes: LogChanges): AsyncGenerator<Buffer> {
    while (!changes.aborted && this.#msLeft() > 0) {
      const { ended } = changes
      const identity = currentIdentity(this.#path)
      // Read after the look: if the file was rotated by then, nothing is added to it any more.
      if (this.#current) yield* this.#current.toEnd()
      if (identity !== undefined && identity !== this.#current?.file.identity) yield* this.#nextFiles()
      else if (ended) return
      else await changes.next(this.#msLeft())
    }
  }

  async *#nextFiles(): AsyncGenerator<Buffer> {
    const next = await openLogFilesAfter(this.#path, this.#current?.file.identity)
    closeAll(this.#files)
    this.#files = next
    yield* this.#readFiles(0)
  }

  /** Until nothing more can be wanted; infinite when no end was asked for. */
  #msLeft(): number {
    const { untilNs } = this.#query
    if (this.#decoder.finished) return 0
    return untilNs === undefined ? Infinity : Number((untilNs - nowNs()) / 1_000_000n)
  }

  /** Which file the wanted tail begins in, and where: entries are counted from the end of the last one. */
  async #tailStart(files: readonly LogFile[]): Promise<{ readonly first: number; readonly start: number }> {
    let wanted = this.#query.tail
    if (wanted === undefined) return { first: 0, start: 0 }
    for (const [index, file] of [...files.entries()].toReversed()) {
      const found = await this.#tailOf(file, wanted)
      if (found.entries === wanted) return { first: index, start: found.start }
      wanted -= found.entries
    }
    return { first: 0, start: 0 }
  }

  async #tailOf(file: LogFile, wanted: number): Promise<{ readonly start: number; readonly entries: number }> {
    if (!file.compressed) return await this.#format.tail(file.handle, file.handle.sizeBytes, wanted)
    const entries = await countCompressed(file, this.#format)
    if (entries >= wanted) this.#decoder.skip(entries - wanted)
    return { start: 0, entries: Math.min(entries, wanted) }
  }
}

const firstChunkBytes = 64 * 1024
/** What is read at once where there is much. */
const chunkBytes = 256 * 1024
/** A line that is longer is passed over. */
const maxLineBytes = 8 * 1024 * 1024

/** Bytes of entries that are not whole yet, and room for more. */
class PendingBytes {
  #buffer = Buffer.allocUnsafeSlow(firstChunkBytes)
  #length = 0
  #filled = false
  /** In a line that is too long, until its end. */
  #passing = false

  /** Where the next bytes are to be put. */
  room(): Buffer {
    if (this.#length === this.#buffer.length || (this.#filled && this.#buffer.length < chunkBytes)) this.#grow()
    return this.#buffer.subarray(this.#length)
  }

  /** Decodes what is whole, now that `added` bytes were put. */
  decode(added: number, decoder: LogDecoder): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length + added)
    this.#filled = bytes.length === this.#buffer.length
    if (this.#passing) this.#passing = !bytes.includes(10)
    if (this.#passing) return Buffer.alloc(0)
    const { output, consumed } = decoder.decode(bytes)
    this.#length = bytes.length - consumed
    this.#buffer.copyWithin(0, consumed, bytes.length)
    return output
  }

  #grow(): void {
    if (this.#buffer.length < maxLineBytes) {
      const larger = Buffer.allocUnsafeSlow(this.#buffer.length * 2)
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    } else {
      this.#passing = true
      this.#length = 0
    }
  }

  clear(): void {
    this.#length = 0
    this.#passing = false
  }
}

/** Reads a plain file from where it left off to what is its end at the time. */
class FileReader {
  readonly file: LogFile
  readonly #decoder: LogDecoder
  readonly #pending = new PendingBytes()
  #position: number

  constructor(file: LogFile, decoder: LogDecoder, position: number) {
    this.file = file
    this.#decoder = decoder
    this.#position = position
  }

  async *toEnd(): AsyncGenerator<Buffer> {
    const { handle } = this.file
    this.#noticeTruncation()
    while (!this.#decoder.finished) {
      const room = this.#pending.room()
      const bytesRead = await handle.read(room, this.#position)
      if (bytesRead === 0) return
      this.#position += bytesRead
      const output = this.#pending.decode(bytesRead, this.#decoder)
      if (output.length > 0) yield output
      if (this.#position >= handle.sizeBytes) return
    }
  }

  /** A log of one file is emptied where another is rotated. */
  #noticeTruncation(): void {
    if (this.#position === 0 || this.file.handle.sizeBytes >= this.#position) return
    this.#position = 0
    this.#pending.clear()
  }
}

async function* readCompressed(file: LogFile, decoder: LogDecoder): AsyncGenerator<Buffer> {
  const pending = new PendingBytes()
  for await (const bytes of decompressed(file)) {
    for (let rest = bytes; rest.length > 0 && !decoder.finished;) {
      const copied = rest.copy(pending.room())
      const output = pending.decode(copied, decoder)
      if (output.length > 0) yield output
      rest = rest.subarray(copied)
    }
    if (decoder.finished) return
  }
}

async function countCompressed(file: LogFile, format: LogFormat): Promise<number> {
  let entries = 0
  let rest = Buffer.alloc(0)
  for await (const bytes of decompressed(file)) {
    const joined = rest.length > 0 ? Buffer.concat([rest, bytes]) : bytes
    const counted = format.count(joined)
    entries += counted.entries
    rest = Buffer.from(joined.subarray(counted.consumed))
  }
  return entries
}

/** A truncated or corrupt file gives what can be read of it. */
async function* decompressed({ handle }: LogFile): AsyncGenerator<Buffer> {
  const { createGunzip } = await import('node:zlib')
  const source = Readable.from(blocksOf(handle))
  const gunzip = createGunzip({ chunkSize: 256 * 1024 })
  source.on('error', (error) => gunzip.destroy(error))
  try {
    for await (const bytes of source.pipe(gunzip)) yield bytes as Buffer
  } catch (error) {
    if (!isCorruption(error)) throw error
  } finally {
    source.destroy()
  }
}

/** The handle stays open, which its own stream would close. */
async function* blocksOf(file: OpenFile): AsyncGenerator<Buffer> {
  for (let position = 0; ;) {
    const buffer = Buffer.allocUnsafe(firstChunkBytes)
    const bytesRead = await file.read(buffer, position)
    if (bytesRead === 0) return
    position += bytesRead
    yield buffer.subarray(0, bytesRead)
  }
}

const isCorruption = (error: unknown): boolean =>
  /^Z_(DATA|BUF)_ERROR$/.test(String((error as { code?: unknown } | undefined)?.code))
