import type { ContainerId, Filters } from '@berth/base'
import type { Volume, VolumeRequest, VolumeUse } from './volume.ts'

/** How a container has a volume mounted, for the event. */
export interface MountDetails {
  readonly destination: string
  readonly isWritable: boolean
  readonly propagation: string
}

/** Copies what a volume is to hold at first into an empty directory, whose metadata become the volume's. */
export type Fill = (directory: string) => Promise<FillResult>
/** `absent`: there is nothing to copy. */
export type FillResult = 'filled' | 'absent'

export interface LentVolume extends AsyncDisposable {
  /** The directory with its files. */
  readonly path: string
}

/**
 * Volumes by name, in `<data root>/volumes/<name>/_data`. Unknown is `get name: no such volume` (404); messages are
 * Docker's. What a container does with volumes goes by its id: `acquire`, then `keep` or `drop`; `mount` and `unmountAll`.
 */
export interface Volumes {
  /** The volume of that name, made when it is not there. */
  create(request: VolumeRequest): Promise<Volume>
  get(name: string): Volume
  /** Sorted by name. Filters: dangling, driver, label, name. */
  list(filters?: Filters): Volume[]
  /** `conflict` while a container has it, forced or not. `force`: one that is absent is no error. */
  remove(name: string, options?: { readonly force?: boolean }): Promise<void>
  /** Removes what no container has: anonymous volumes, with `all` the others too; none with options. Filters: label, label!, all. */
  prune(filters: Filters, options?: { readonly all?: boolean }): Promise<{ deleted: string[]; reclaimedBytes: number }>
  /** Removes it unless a container other than `but` has it; true when it is gone. */
  removeUnused(name: string, but: ContainerId): Promise<boolean>
  /**
   * Bytes of its files. While no container has it mounted they are kept, ten minutes at most: other programs of the host
   * may write deep in there unseen.
   */
  usage(name: string): Promise<number>
  /** The containers that have each volume that a container has, running or not. */
  users(): ReadonlyMap<string, ReadonlySet<ContainerId>>
  /** Directories among those of volumes that no record knows: they are left alone, as they may be somebody's data. */
  strays(): string[]
  /** Registers who knows which container has which volume. */
  onUseQuery(query: () => Iterable<VolumeUse>): void

  /** `create` for a container that is being made: from here it counts as a user. */
  acquire(request: VolumeRequest, containerId: ContainerId): Promise<Volume>
  /** The container is made: `record` and the fate of its anonymous volumes are one transaction. */
  keep(containerId: ContainerId, record: () => void): void
  /** The container was not made: its anonymous volumes go. */
  drop(containerId: ContainerId): Promise<void>
  /** Fills a volume that is empty, once whoever else would do so has. All or nothing, also across a crash. */
  fill(name: string, containerId: ContainerId, fill: Fill): Promise<void>

  /** Mounts what its driver mounts, unless that is done, and returns the directory with its files. */
  mount(name: string, containerId: ContainerId, details?: MountDetails): Promise<string>
  /** Ends every use that the container made of mounted volumes; unmounts what nobody uses any more. */
  unmountAll(containerId: ContainerId): Promise<void>
  /** Mounts it for a while, for somebody beside the containers: nothing is announced. */
  lend(name: string): Promise<LentVolume>
  /** At start: these containers run and have these volumes mounted, nobody else has. */
  reconcile(mounted: Iterable<VolumeUse>): Promise<void>
}
