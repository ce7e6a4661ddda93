export type { BlobInfo, ContentStore, IngestedBlob, IngestOptions } from './content-store.ts'
export { type ContentStoreOptions, openContentStore } from './open-content-store.ts'
export type { Change, ChangeKind, LayerSource, Snapshots } from './snapshots.ts'
