import type { SharedWork } from '@berth/base'
import type { Registries } from '@berth/registry'
import type { PushedLayer, PushProgress } from '../push/push-layer.ts'
import type { TransferStore } from '../transfer-store.ts'
import type { BlobDownloads } from './blob-downloads.ts'
import type { PullGate } from './gate.ts'
import type { TransferSlots } from './transfer-slots.ts'
import type { UnfinishedPulls } from './unfinished-pulls.ts'

/** What moves images over the network. */
export interface Transfers {
  readonly registries: Registries
  readonly downloads: BlobDownloads
  readonly uploadSlots: TransferSlots
  readonly layerPushes: SharedWork<PushedLayer, PushProgress>
  readonly known: TransferStore
  readonly unfinished: UnfinishedPulls
  readonly gate?: PullGate
}
