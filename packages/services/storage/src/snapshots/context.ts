import type { DecompressionLimits } from '@berth/archive'
import type { Logger } from '@berth/base'
import type { LayerLimits } from '../layers/apply-layer.ts'
import type { LayerWorker } from '../layers/layer-worker.ts'
import type { SnapshotDirectories } from './directories.ts'
import type { SnapshotDriver } from './driver.ts'
import type { SnapshotTable } from './snapshot-table.ts'
import type { Trash } from './trash.ts'

/** What the parts of the snapshot service share. */
export interface SnapshotContext {
  readonly table: SnapshotTable
  readonly directories: SnapshotDirectories
  readonly driver: SnapshotDriver
  readonly worker: LayerWorker
  readonly trash: Trash
  readonly logger: Logger
  readonly bootId: string
  readonly limits: Partial<LayerLimits & DecompressionLimits> | undefined
  /** Called where a crash would hurt most; tests end the process there. */
  readonly fault: (point: string) => void
  /** A snapshot was committed whose files are not on the disk yet. */
  readonly onCommit: () => void
}
