export * as decode from './decode.ts'
export { decodeImageConfig, maxConfigBytes } from './decode-image-config.ts'
export {
  decodeDocument,
  decodeIndex,
  decodeManifest,
  type Document,
  maxManifestBytes,
  toDigest,
} from './decode-manifest.ts'
export {
  algorithmOf,
  chainId,
  chainIds,
  type Digest,
  Digester,
  hexOf,
  isDigest,
  parseDigest,
  sha256,
} from './digest.ts'
export { matchGlob } from './glob.ts'
export type {
  Descriptor,
  HistoryEntry,
  ImageConfig,
  ImageRunConfig,
  Index,
  Manifest,
  Platform,
} from './image-config.ts'
export { isConfigType, isIndexType, isLayerType, isManifestType, isSchema1Type, mediaTypes } from './media-types.ts'
export {
  formatPlatform,
  hostPlatform,
  matchesPlatform,
  normalizePlatform,
  parsePlatform,
  platformOrder,
  platformRank,
} from './platform.ts'
export {
  familiarName,
  familiarString,
  formatReference,
  isNameOnly,
  isTag,
  nameOf,
  parseAnyReference,
  parseReference,
  type Reference,
  withDefaultTag,
  withTag,
} from './reference.ts'
export type {
  RuntimeLinux,
  RuntimeMount,
  RuntimeProcess,
  RuntimeResources,
  RuntimeSeccomp,
  RuntimeSpec,
  ThrottleRate,
} from './runtime-spec.ts'
