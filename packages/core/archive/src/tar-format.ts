import type { EntryType, TarEntry } from './entry.ts'
import { checksum, fitsOctal, writeOctal } from './header-fields.ts'
import { encodeName } from './name.ts'
import { formatPaxRecord, formatPaxTime } from './pax.ts'

const flagOfType: Record<EntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  character: '3',
  block: '4',
  directory: '5',
  fifo: '6',
}

/** Largest size, exclusive, that eleven octal digits hold. */
const maxOctalSize = 8 ** 11

/**
 * The header blocks of `entry`: ustar, preceded by a PAX header only for what ustar cannot say (as Go's archive/tar
 * chooses with FormatPAX). Times are written whole seconds unless `nanoseconds`. Equal entries give equal bytes.
 */
export function encodeHeader(entry: TarEntry, options: { readonly nanoseconds?: boolean } = {}): Buffer {
  const records = paxRecords(entry, options.nanoseconds ?? false)
  const block = Buffer.alloc(512)
  writeFields(block, entry)
  if (records.length === 0) return block
  const body = Buffer.concat(records)
  const header = Buffer.alloc(512)
  writeText(header, 0, 100, paxHeaderName(entry.path))
  writeCommon(header, { mode: 0, uid: 0, gid: 0, sizeBytes: body.length, seconds: 0, flag: 'x' })
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512), block])
}

/** What ustar cannot hold, as records sorted by key. */
function paxRecords(entry: TarEntry, nanoseconds: boolean): Buffer[] {
  const records = new Map<string, Buffer>()
  const number = (key: string, value: number, fits: boolean) => {
    if (!fits) records.set(key, Buffer.from(String(value)))
  }
  if (!fitsUstarPath(entry.path)) records.set('path', encodeName(entry.path))
  if (!fitsUstarText(entry.linkPath, 100)) records.set('linkpath', encodeName(entry.linkPath))
  number('size', entry.sizeBytes, entry.sizeBytes < maxOctalSize)
  number('uid', entry.uid, fitsOctal(entry.uid, 8))
  number('gid', entry.gid, fitsOctal(entry.gid, 8))
  const isFraction = nanoseconds && entry.mtime.nanoseconds !== 0
  if (isFraction || !fitsOctal(entry.mtime.seconds, 12)) records.set('mtime', timeRecord(entry, nanoseconds))
  for (const [name, value] of entry.xattrs ?? []) records.set(`SCHILY.xattr.${name}`, value)
  const keys = [...records.keys()].toSorted()
  return keys.map((key) => formatPaxRecord(key, records.get(key) ?? Buffer.alloc(0)))
}

function timeRecord({ mtime }: TarEntry, nanoseconds: boolean): Buffer {
  return Buffer.from(formatPaxTime(nanoseconds ? mtime : { seconds: mtime.seconds, nanoseconds: 0 }))
}

function writeFields(block: Buffer, entry: TarEntry): void {
  const split = splitPath(entry.path)
  if (split) {
    writeText(block, 345, 155, split.prefix)
    writeText(block, 0, 100, split.name)
  } else {
    writeText(block, 0, 100, entry.path)
  }
  writeText(block, 157, 100, entry.linkPath)
  if (entry.type === 'character' || entry.type === 'block') {
    writeOctal(block, 329, 8, entry.deviceMajor)
    writeOctal(block, 337, 8, entry.deviceMinor)
  }
  writeCommon(block, {
    mode: entry.mode,
    uid: fitsOctal(entry.uid, 8) ? entry.uid : 0,
    gid: fitsOctal(entry.gid, 8) ? entry.gid : 0,
    sizeBytes: entry.sizeBytes < maxOctalSize ? entry.sizeBytes : 0,
    seconds: fitsOctal(entry.mtime.seconds, 12) ? entry.mtime.seconds : 0,
    flag: flagOfType[entry.type],
  })
}

interface CommonFields {
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly sizeBytes: number
  readonly seconds: number
  readonly flag: string
}

function writeCommon(block: Buffer, fields: CommonFields): void {
  writeOctal(block, 100, 8, fields.mode)
  writeOctal(block, 108, 8, fields.uid)
  writeOctal(block, 116, 8, fields.gid)
  writeOctal(block, 124, 12, fields.sizeBytes)
  writeOctal(block, 136, 12, fields.seconds)
  block.write(fields.flag, 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  writeOctal(block, 148, 7, checksum(block))
  block[155] = 0x20
}

/** Fills a text field, cut to its size; what does not fit stands in a PAX record. */
function writeText(block: Buffer, start: number, length: number, text: string): void {
  encodeName(text).copy(block, start, 0, length)
}

// oxlint-disable-next-line no-control-regex -- ustar names are ASCII
const ascii = /^[\x01-\x7f]*$/

const fitsUstarText = (text: string, bytes: number): boolean => text.length <= bytes && ascii.test(text)

const fitsUstarPath = (path: string): boolean => fitsUstarText(path, 100) || splitPath(path) !== undefined

/** A long ASCII path as ustar's prefix and name, cut at a slash; undefined when it fits whole or not at all. */
function splitPath(path: string): { prefix: string; name: string } | undefined {
  if (path.length <= 100 || path.length > 256 || !ascii.test(path)) return undefined
  const cut = path.slice(0, 156).lastIndexOf('/', path.endsWith('/') ? path.length - 2 : undefined)
  const name = path.slice(cut + 1)
  return cut <= 0 || name.length > 100 || name === '' ? undefined : { prefix: path.slice(0, cut), name }
}

/** `dir/PaxHeaders.0/base`, ASCII only: what readers that know no PAX would call the records. */
function paxHeaderName(path: string): string {
  const clean = path.replace(/\/+$/, '')
  const slash = clean.lastIndexOf('/') + 1
  const name = `${clean.slice(0, slash)}PaxHeaders.0/${clean.slice(slash)}`
  return name.replace(/[^\x20-\x7e]/g, '').slice(0, 100)
}
