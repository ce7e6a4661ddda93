import { EngineError, invalid } from '@berth/base'
import type { EntryType, Extent, FileTime, TarEntry } from './entry.ts'
import { decodeName } from './name.ts'
import { PaxState } from './pax-state.ts'
import { addCommaPairs, addOldGnuPairs, SparseMap, SparseMapReader } from './sparse.ts'
import { decodeHeader, isZeroBlock, type RawHeader } from './tar-header.ts'
import { readNumber } from './header-fields.ts'

/** Receives an archive's members while its bytes are pushed into a `TarParser`. */
export interface TarHandler {
  entry(entry: TarEntry): void
  /** Content of the entry at `offset` of the file; holes are left out. `bytes` is only lent for the call. */
  data(bytes: Buffer, offset: number): void
  /** The entry is complete. */
  end(): void
}

/** What one archive may ask of the parser's memory. */
export interface TarLimits {
  /** Bytes of one extended header (long name, PAX records). */
  readonly maxMetadataBytes: number
  /** Extended headers before one entry. */
  readonly maxMetadataHeaders: number
  /** Bytes of all global PAX records in force. */
  readonly maxGlobalBytes: number
  /** Extents of one sparse file. */
  readonly maxExtents: number
}

export const defaultTarLimits: TarLimits = {
  maxMetadataBytes: 1 << 20,
  maxMetadataHeaders: 16,
  maxGlobalBytes: 1 << 20,
  maxExtents: 1 << 18,
}

type State = 'header' | 'metadata' | 'oldSparse' | 'sparseMap' | 'body' | 'padding' | 'done'

const typeOfFlag: Record<string, EntryType> = {
  '\0': 'file',
  '0': 'file',
  '7': 'file',
  S: 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'character',
  '4': 'block',
  '5': 'directory',
  D: 'directory',
  '6': 'fifo',
}

/** Flags of headers that describe the next one (or all that follow). */
const metadataFlags = 'xXgLK'

/**
 * A tar reader that is pushed: `write()` each chunk, then `finish()`. Reads v7, ustar, star, GNU (long names, base-256,
 * old sparse) and PAX (local and global records, xattrs, GNU.sparse 0.0, 0.1 and 1.0). No file is ever held whole, and
 * what is held is bounded by `TarLimits`. Errors are `invalid` and name the entry and the archive's byte offset.
 */
export class TarParser {
  readonly #handler: TarHandler
  readonly #limits: TarLimits
  readonly #pax: PaxState
  #state: State = 'header'
  #offset = 0
  /** Bytes of a 512-byte block that is split over chunks. */
  readonly #carry = Buffer.allocUnsafe(512)
  #carried = 0
  #zeroBlocks = 0
  #metadata = Buffer.alloc(0)
  #metadataFlag = ''
  #metadataHeaders = 0
  /** Bytes left in the current state: metadata, body or padding. */
  #left = 0
  /** Bytes that pad the member to a whole block. */
  #padding = 0
  #hasEntry = false
  #hasContent = false
  #header: RawHeader | undefined
  #logicalBytes = 0
  #sparse: SparseMap | undefined
  #mapReader: SparseMapReader | undefined
  #extents: readonly Extent[] | undefined
  #extent = 0
  #position = 0

  constructor(handler: TarHandler, limits: TarLimits = defaultTarLimits) {
    this.#handler = handler
    this.#limits = limits
    this.#pax = new PaxState(limits.maxGlobalBytes)
  }

  /** The two zero blocks were seen; whatever follows is ignored. */
  get isDone(): boolean {
    return this.#state === 'done'
  }

  write(chunk: Buffer): void {
    try {
      for (let at = 0; at < chunk.length && this.#state !== 'done';) {
        const used = this.#step(chunk, at)
        at += used
        this.#offset += used
      }
    } catch (error) {
      throw this.#located(error)
    }
  }

  /** Says that no byte follows; `invalid` when the archive ends inside a member. */
  finish(): void {
    const between = this.#state === 'header' && this.#carried === 0 && this.#metadataHeaders === 0
    if (between || this.#state === 'done') return
    throw this.#located(invalid('unexpected EOF'))
  }

  /** `error` with the place where it happened, when the archive is to blame. */
  #located(error: unknown): unknown {
    if (!(error instanceof EngineError) || error.kind !== 'invalid') return error
    const subject = this.#header ? `entry ${JSON.stringify(this.#header.path.slice(0, 300))} ` : ''
    return invalid(`archive: ${subject}at byte ${this.#offset}: ${error.message}`, error)
  }

  /** Handles what stands at `at` and returns how many bytes it used. */
  #step(chunk: Buffer, at: number): number {
    switch (this.#state) {
      case 'header':
        return this.#withBlock(chunk, at, (block) => this.#onHeader(block))
      case 'oldSparse':
        return this.#withBlock(chunk, at, (block) => this.#onOldSparse(block))
      case 'sparseMap':
        return this.#withBlock(chunk, at, (block) => this.#onSparseMap(block))
      case 'metadata':
        return this.#onMetadata(chunk, at)
      case 'body':
        return this.#onBody(chunk, at)
      case 'padding':
        return this.#onPadding(chunk, at)
      case 'done':
        return chunk.length - at
    }
  }

  #withBlock(chunk: Buffer, at: number, work: (block: Buffer) => void): number {
    if (this.#carried === 0 && chunk.length - at >= 512) {
      work(chunk.subarray(at, at + 512))
      return 512
    }
    const used = Math.min(512 - this.#carried, chunk.length - at)
    chunk.copy(this.#carry, this.#carried, at, at + used)
    this.#carried += used
    if (this.#carried === 512) {
      this.#carried = 0
      work(this.#carry)
    }
    return used
  }

  #onHeader(block: Buffer): void {
    if (isZeroBlock(block)) {
      if (++this.#zeroBlocks === 2) this.#state = 'done'
      return
    }
    if (this.#zeroBlocks > 0) throw invalid('a header follows a zero block')
    this.#header = undefined
    const header = decodeHeader(block)
    if (header.storedBytes < 0) throw invalid('size is negative')
    if (header.typeFlag !== '' && metadataFlags.includes(header.typeFlag)) this.#beginMetadata(header)
    else this.#beginMember(header, block)
  }

  #beginMetadata({ typeFlag, storedBytes }: RawHeader): void {
    if (storedBytes > this.#limits.maxMetadataBytes) {
      throw invalid(`extended header of ${storedBytes} bytes exceeds ${this.#limits.maxMetadataBytes}`)
    }
    if (++this.#metadataHeaders > this.#limits.maxMetadataHeaders) {
      throw invalid(`more than ${this.#limits.maxMetadataHeaders} extended headers before one entry`)
    }
    this.#metadata = Buffer.allocUnsafe(storedBytes)
    this.#metadataFlag = typeFlag
    this.#left = storedBytes
    this.#padding = paddingOf(storedBytes)
    this.#state = 'metadata'
    if (storedBytes === 0) this.#endMetadata()
  }

  #onMetadata(chunk: Buffer, at: number): number {
    const used = Math.min(this.#left, chunk.length - at)
    chunk.copy(this.#metadata, this.#metadata.length - this.#left, at, at + used)
    this.#left -= used
    if (this.#left === 0) this.#endMetadata()
    return used
  }

  #endMetadata(): void {
    const body = this.#metadata
    const flag = this.#metadataFlag
    if (flag === 'L') this.#pax.longName = decodeName(body, 0, nulIn(body))
    else if (flag === 'K') this.#pax.longLink = decodeName(body, 0, nulIn(body))
    else if (flag === 'g') this.#pax.addGlobal(body)
    else this.#pax.addLocal(body)
    this.#pad()
  }

  #beginMember(header: RawHeader, block: Buffer): void {
    this.#header = header
    this.#pax.apply(header)
    const type = typeOfFlag[header.typeFlag]
    if (type === undefined && header.typeFlag !== 'V') {
      throw invalid(`type ${JSON.stringify(header.typeFlag)} is not supported`)
    }
    if (header.storedBytes < 0 || !Number.isSafeInteger(header.storedBytes + 512)) throw invalid('size is out of range')
    if (type !== 'file' && header.typeFlag !== 'D' && header.typeFlag !== 'V') header.storedBytes = 0
    this.#logicalBytes = header.storedBytes
    this.#padding = paddingOf(header.storedBytes)
    this.#beginSparse(header, block)
  }

  /** Finds out whether the member is sparse and where its map is; the entry is announced once the map is known. */
  #beginSparse(header: RawHeader, block: Buffer): void {
    const sparse = header.typeFlag === 'V' || header.typeFlag === 'D' ? undefined : this.#pax.sparse
    if (header.typeFlag === 'S') {
      this.#sparse = new SparseMap(this.#limits.maxExtents)
      this.#logicalBytes = readNumber(block, 483, 12, 'real size')
      addOldGnuPairs(this.#sparse, block, 386, 4)
      if (block[482]) this.#state = 'oldSparse'
      else this.#announce()
      return
    }
    if (!sparse) return this.#announce()
    this.#sparse = new SparseMap(this.#limits.maxExtents)
    this.#logicalBytes = sparse.realBytes ?? header.storedBytes
    if (sparse.version === '1.0') {
      this.#mapReader = new SparseMapReader(this.#sparse)
      this.#state = 'sparseMap'
      return
    }
    addCommaPairs(this.#sparse, sparse.pairs)
    this.#announce()
  }

  #onOldSparse(block: Buffer): void {
    if (this.#sparse) addOldGnuPairs(this.#sparse, block, 0, 21)
    if (!block[504]) this.#announce()
  }

  #onSparseMap(block: Buffer): void {
    const header = this.#header
    if (!header || !this.#mapReader) throw new Error('sparse map without a header')
    if (header.storedBytes < 512) throw invalid('sparse map exceeds the member')
    header.storedBytes -= 512
    if (this.#mapReader.push(block)) this.#announce()
  }

  #announce(): void {
    const header = this.#header
    if (!header) throw new Error('member without a header')
    this.#extents = this.#sparse?.finish(this.#logicalBytes, header.storedBytes)
    this.#left = header.storedBytes
    this.#extent = 0
    this.#position = this.#extents?.[0]?.offset ?? 0
    this.#hasEntry = header.typeFlag !== 'V'
    this.#hasContent = this.#hasEntry && header.typeFlag !== 'D'
    if (this.#hasEntry) this.#handler.entry(this.#entry(header))
    this.#resetMember()
    this.#state = 'body'
    if (this.#left === 0) this.#endMember()
  }

  #entry(header: RawHeader): TarEntry {
    const isSlashed = header.path.endsWith('/')
    const plain = typeOfFlag[header.typeFlag] ?? 'file'
    const type = plain === 'file' && isSlashed && header.storedBytes === 0 ? 'directory' : plain
    const mtime: FileTime = this.#pax.mtime ?? { seconds: header.mtimeSeconds, nanoseconds: 0 }
    return {
      path: header.path,
      type,
      linkPath: header.linkPath,
      mode: header.mode,
      uid: header.uid,
      gid: header.gid,
      sizeBytes: type === 'file' ? this.#logicalBytes : 0,
      mtime,
      atime: this.#pax.atime,
      deviceMajor: header.deviceMajor,
      deviceMinor: header.deviceMinor,
      xattrs: this.#pax.xattrs,
      extents: this.#extents,
    }
  }

  #resetMember(): void {
    this.#pax.endMember()
    this.#metadataHeaders = 0
    this.#sparse = undefined
    this.#mapReader = undefined
  }

  #onBody(chunk: Buffer, at: number): number {
    const extent = this.#extents?.[this.#extent]
    const run = extent ? extent.offset + extent.sizeBytes - this.#position : this.#left
    const used = Math.min(run, this.#left, chunk.length - at)
    if (this.#hasContent && used > 0) this.#handler.data(chunk.subarray(at, at + used), this.#position)
    this.#left -= used
    this.#position += used
    if (used === run) this.#position = this.#extents?.[++this.#extent]?.offset ?? this.#position
    if (this.#left === 0) this.#endMember()
    return used
  }

  #endMember(): void {
    if (this.#hasEntry) this.#handler.end()
    this.#hasEntry = false
    this.#pad()
  }

  #pad(): void {
    this.#left = this.#padding
    this.#state = this.#left > 0 ? 'padding' : 'header'
  }

  #onPadding(chunk: Buffer, at: number): number {
    const used = Math.min(this.#left, chunk.length - at)
    this.#left -= used
    if (this.#left === 0) this.#state = 'header'
    return used
  }
}

const paddingOf = (sizeBytes: number): number => (512 - (sizeBytes % 512)) % 512

function nulIn(bytes: Buffer): number {
  const nul = bytes.indexOf(0)
  return nul < 0 ? bytes.length : nul
}
