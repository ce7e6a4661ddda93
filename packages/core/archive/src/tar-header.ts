import { invalid } from '@berth/base'
import { checksum, readNumber, readOctal, signedChecksum, textEnd } from './header-fields.ts'
import { decodeName } from './name.ts'

/** A header block's fields as they stand, before long names and PAX records are applied. */
export interface RawHeader {
  path: string
  linkPath: string
  readonly mode: number
  uid: number
  gid: number
  /** Bytes that follow in the archive. */
  storedBytes: number
  mtimeSeconds: number
  readonly typeFlag: string
  readonly deviceMajor: number
  readonly deviceMinor: number
}

type Format = 'v7' | 'ustar' | 'star' | 'gnu'

/** True when the block is all zeros: one of the two that end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(zeroBlock)
}

const zeroBlock = Buffer.alloc(512)

/**
 * Decodes one 512-byte header: v7, ustar, star or GNU (POSIX.1-1988; GNU tar manual, "Basic Tar Format"). Throws
 * `invalid` when the checksum or a number is wrong.
 */
export function decodeHeader(block: Buffer): RawHeader {
  const sum = readOctal(block, 148, 8, 'checksum')
  if (sum !== checksum(block) && sum !== signedChecksum(block)) throw invalid('header checksum does not match')
  const format = formatOf(block)
  const isDevice = format !== 'v7'
  return {
    path: pathOf(block, format),
    linkPath: decodeName(block, 157, textEnd(block, 157, 100)),
    mode: readNumber(block, 100, 8, 'mode') & 0o7777,
    uid: readNumber(block, 108, 8, 'uid'),
    gid: readNumber(block, 116, 8, 'gid'),
    storedBytes: readNumber(block, 124, 12, 'size'),
    mtimeSeconds: readNumber(block, 136, 12, 'mtime'),
    typeFlag: String.fromCharCode(block[156] ?? 0),
    deviceMajor: isDevice ? readNumber(block, 329, 8, 'devmajor') : 0,
    deviceMinor: isDevice ? readNumber(block, 337, 8, 'devminor') : 0,
  }
}

function formatOf(block: Buffer): Format {
  const magic = block.toString('latin1', 257, 265)
  if (magic === 'ustar  \0') return 'gnu'
  if (!magic.startsWith('ustar\0')) return 'v7'
  return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar'
}

const prefixBytes: Record<Format, number> = { v7: 0, gnu: 0, ustar: 155, star: 131 }

function pathOf(block: Buffer, format: Format): string {
  const name = decodeName(block, 0, textEnd(block, 0, 100))
  const length = prefixBytes[format]
  if (length === 0 || block[345] === 0) return name
  return `${decodeName(block, 345, textEnd(block, 345, length))}/${name}`
}
