import type { TreeForm } from '../layers/changes.ts'
import type { WhiteoutForm } from '../layers/layer-tree.ts'

/** A snapshot's directories for the driver. */
export interface DriverPaths {
  readonly files: string
  readonly work: string
  readonly merged: string
  /** The layers beneath, the topmost first; the init layer last. */
  readonly lower: readonly string[]
}

/** How layers become one tree. What is above it (rows, locks, crash safety) is the same for all. */
export interface SnapshotDriver {
  /** As `docker info` names it. */
  readonly name: string
  /** How an unpacked layer that has a parent says what it deletes. */
  readonly whiteouts: WhiteoutForm
  readonly form: TreeForm
  /** Committed snapshots hold the parent's files too. */
  readonly copiesParent: boolean
  /** Makes a new writable layer's directories. */
  prepare(paths: DriverPaths): void
  /** Puts into them what takes time. */
  fill?(paths: DriverPaths): Promise<void>
  /** Mounts, unless that is done, and returns the directory with the whole tree. */
  mount(paths: DriverPaths, options: { readonly volatile: boolean }): string
  unmount(paths: DriverPaths): Promise<void>
  isMounted(paths: DriverPaths): boolean
  /** Returns where the whole tree can be read: where it is mounted, else at the existing directory `target`. */
  view(paths: DriverPaths, target: string): string
  unview(target: string): Promise<void>
  /** The Engine API's GraphDriver.Data. */
  describe(paths: DriverPaths): Readonly<Record<string, string>>
}
