export { layerCompressor } from './compress-layer.ts'
export type {
  CommitRequest,
  CreateImageRequest,
  Image,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageLayer,
  ImageListQuery,
  Images,
  ImageUse,
  ImportRequest,
  Progress,
} from './images.ts'
export type { PullCandidate, PullGate } from './pull/gate.ts'
export { openSignatureGate } from './signatures/signature-gate.ts'
export type { PullRequest } from './pull/pull-image.ts'
export type { PushRequest } from './push/push-image.ts'
export type { Attestation, PublishedImage, PublishRequest } from './publish/publication.ts'
export type { LayerCompression } from './publish/published-layer.ts'
export type { PackRequest } from './publish/publish-images.ts'
export type { OpenRepository } from './registry/open-repository.ts'
export type { Distribution, RegistryQuestion, SearchWish } from './registry/ask-registry.ts'
export { type ImagesOptions, openImages, type OpenImages } from './open-images.ts'
export type { ImageRoots } from './reclaimer.ts'
export type { ImagePlatform } from './list-platforms.ts'
