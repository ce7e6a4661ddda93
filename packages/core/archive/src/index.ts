export {
  type Compression,
  type CompressOptions,
  createCompressor,
  decompress,
  type DecompressionLimits,
  defaultDecompressionLimits,
  detectCompression,
  magicBytes,
  peek,
} from './compression.ts'
export { type EntryType, epoch, type Extent, type FileTime, type TarEntry } from './entry.ts'
export { checkSymlinkTarget, sanitizeEntryPath, splitEntryPath } from './entry-path.ts'
export { type DeflateBlock, gzipBlocks, type GzipBlocksOptions } from './gzip-blocks.ts'
export { decodeName, encodeName } from './name.ts'
export { readTar, type TarMember } from './read-tar.ts'
export { encodeHeader } from './tar-format.ts'
export { type PackerOptions, TarPacker } from './tar-packer.ts'
export { defaultTarLimits, type TarHandler, type TarLimits, TarParser } from './tar-parser.ts'
export {
  isOverlayWhiteout,
  isOverlayXattr,
  opaqueMarkerPath,
  opaqueXattr,
  parseWhiteout,
  type Whiteout,
  whiteoutPath,
} from './whiteout.ts'
export { tarEntry, type TarSource, writeTar } from './write-tar.ts'
