import { invalid } from '@berth/base'
import type { FileTime } from './entry.ts'
import { parsePax, paxNumber, type PaxRecords, paxText, paxTime } from './pax.ts'
import type { RawHeader } from './tar-header.ts'

/** How a PAX sparse member (GNU.sparse.*) tells its map. */
export interface PaxSparse {
  readonly version: '0' | '1.0'
  readonly realBytes: number | undefined
  /** Offsets and sizes, comma-separated; '' for version 1.0, whose map stands before the data. */
  readonly pairs: string
}

/**
 * What extended headers say about the next member: GNU long names, local PAX records, and global ones beneath them.
 * A record with an empty value takes the global one back (POSIX.1-2001, pax).
 */
export class PaxState {
  longName: string | undefined
  longLink: string | undefined
  readonly #global: PaxRecords = new Map()
  readonly #maxGlobalBytes: number
  #local: PaxRecords | undefined
  /** GNU.sparse 0.0 repeats its keys, one pair each. */
  #pairs: string[] = []

  constructor(maxGlobalBytes: number) {
    this.#maxGlobalBytes = maxGlobalBytes
  }

  addLocal(body: Buffer): void {
    const records: PaxRecords = (this.#local ??= new Map(this.#global))
    parsePax(body, (key, value) => {
      if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes')
        this.#pairs.push(value.toString('latin1', 0, 20))
      else set(records, key, value)
    })
  }

  addGlobal(body: Buffer): void {
    parsePax(body, (key, value) => set(this.#global, key, value))
    let bytes = 0
    for (const [key, value] of this.#global) bytes += key.length + value.length
    if (bytes > this.#maxGlobalBytes) throw invalid(`global PAX records exceed ${this.#maxGlobalBytes} bytes`)
  }

  /** Lays long names and records over the header's own fields. */
  apply(header: RawHeader): void {
    header.path = this.#text('GNU.sparse.name') ?? this.#text('path') ?? this.longName ?? header.path
    header.linkPath = this.#text('linkpath') ?? this.longLink ?? header.linkPath
    header.storedBytes = this.#number('size') ?? header.storedBytes
    header.uid = this.#number('uid') ?? header.uid
    header.gid = this.#number('gid') ?? header.gid
  }

  get mtime(): FileTime | undefined {
    return this.#time('mtime')
  }

  get atime(): FileTime | undefined {
    return this.#time('atime')
  }

  get xattrs(): ReadonlyMap<string, Buffer> | undefined {
    let found: Map<string, Buffer> | undefined
    for (const [key, value] of this.#records ?? []) {
      const xattr = xattrOf(key, value)
      if (xattr) (found ??= new Map()).set(xattr.name, xattr.value)
    }
    return found
  }

  get sparse(): PaxSparse | undefined {
    const records = this.#records
    if (!records) return undefined
    const major = this.#text('GNU.sparse.major')
    const realBytes = this.#number('GNU.sparse.realsize') ?? this.#number('GNU.sparse.size')
    if (major !== undefined) {
      const version = `${major}.${this.#text('GNU.sparse.minor') ?? ''}`
      if (version !== '1.0') throw invalid(`sparse format ${JSON.stringify(version)} is not supported`)
      return { version: '1.0', realBytes, pairs: '' }
    }
    const pairs = this.#text('GNU.sparse.map') ?? (this.#pairs.length > 0 ? this.#pairs.join(',') : undefined)
    return pairs === undefined ? undefined : { version: '0', realBytes, pairs }
  }

  /** Forgets what was said about one member only. */
  endMember(): void {
    this.#local = undefined
    this.longName = undefined
    this.longLink = undefined
    if (this.#pairs.length > 0) this.#pairs = []
  }

  get #records(): PaxRecords | undefined {
    return this.#local ?? (this.#global.size > 0 ? this.#global : undefined)
  }

  #text(key: string): string | undefined {
    const value = this.#records?.get(key)
    return value && paxText(key, value)
  }

  #number(key: string): number | undefined {
    const value = this.#records?.get(key)
    return value && paxNumber(key, value)
  }

  #time(key: string): FileTime | undefined {
    const value = this.#records?.get(key)
    return value && paxTime(key, value)
  }
}

function set(records: PaxRecords, key: string, value: Buffer): void {
  if (value.length === 0 && !key.startsWith('SCHILY.xattr.')) records.delete(key)
  else records.set(key, Buffer.from(value))
}

const schily = 'SCHILY.xattr.'
const libarchive = 'LIBARCHIVE.xattr.'

/** star's records hold the raw value; libarchive's a percent-encoded name and the value in base64. */
function xattrOf(key: string, value: Buffer): { name: string; value: Buffer } | undefined {
  if (key.startsWith(schily)) return { name: key.slice(schily.length), value }
  if (!key.startsWith(libarchive)) return undefined
  const encoded = key.slice(libarchive.length)
  const bytes = Buffer.from(value.toString('latin1'), 'base64')
  try {
    return { name: decodeURIComponent(encoded), value: bytes }
  } catch {
    throw invalid(`PAX ${key.slice(0, 100)} is not percent-encoded`)
  }
}
