import type { Registries } from '@berth/registry'
import type { BlobDownloads } from './blob-downloads.ts'
import type { PullGate } from './gate.ts'

/** What moves images over the network. */
export interface Transfers {
  readonly registries: Registries
  readonly downloads: BlobDownloads
  readonly gate?: PullGate
}
