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
export type {
  Descriptor,
  HistoryEntry,
  ImageConfig,
  ImageRunConfig,
  Index,
  Manifest,
  Platform,
} from './image-config.ts'
export type {
  RuntimeLinux,
  RuntimeMount,
  RuntimeProcess,
  RuntimeResources,
  RuntimeSeccomp,
  RuntimeSpec,
  ThrottleRate,
} from './runtime-spec.ts'
