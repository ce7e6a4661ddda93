import type { KeyedLock, Logger } from '@berth/base'
import type { Digest } from '@berth/oci'
import type { ContentStore } from '@berth/storage'
import type { Pace } from './http/pace.ts'
import type { Upstream } from './proxy/upstream.ts'
import type { RegistryStore } from './store/registry-store.ts'
import type { Uploads } from './uploads/uploads.ts'

/** What the routes work with. */
export interface Registry {
  readonly store: RegistryStore
  readonly content: ContentStore
  readonly uploads: Uploads
  /** Held by digest while content is linked, and while it is collected. */
  readonly locks: KeyedLock<Digest>
  readonly pace: Pace
  readonly logger: Logger
  readonly rules: RegistryRules
  /** What this is a cache of. */
  readonly upstream?: Upstream
}

export interface RegistryRules {
  readonly isReadOnly: boolean
  readonly allowsDeletion: boolean
  /** What clients are asked to send at the least in a chunk; 0: whatever they like. */
  readonly chunkMinBytes: number
}
