import type { Digest } from '@berth/oci'
import type { Readable } from 'node:stream'

export type ChangeKind = 'modified' | 'added' | 'deleted'
export interface Change {
  readonly path: string
  readonly kind: ChangeKind
}

export interface LayerSource {
  /** The file with the layer's bytes, compressed as it came. */
  readonly path: string
  /** Where the file is when it is not there: it may be moved while the layer waits. */
  readonly movedTo?: string
  readonly diffId?: Digest
  /** Digest of the file as it is, when it was verified: a layer that is not compressed is then not hashed again. */
  readonly blobDigest?: Digest
}

/**
 * Filesystems by layers. A committed snapshot is named by the chain id of its layers and never changes; an active one
 * is named by its owner (a container id), is writable, and sits on a committed parent.
 */
export interface Snapshots {
  has(chainId: Digest): boolean
  /**
   * Unpacks `layer` on `parent` and commits it as the chain id that follows. Verifies `layer.diffId` when given.
   * Concurrent calls for one chain id do the work once. All or nothing, also across a crash. `parent` may be a chain id
   * that another call is unpacking just now (with its `diffId` given): an image's layers can be unpacked side by side.
   */
  unpack(
    parent: Digest | undefined,
    layer: LayerSource,
    signal?: AbortSignal,
  ): Promise<{ chainId: Digest; diffId: Digest; sizeBytes: number }>
  /**
   * Creates the active snapshot `key`; a crash meanwhile may leave it unfinished, for the owner to remove. `parent`
   * undefined: an empty root.
   */
  prepare(key: string, parent: Digest | undefined): Promise<void>
  /**
   * Mounts an active snapshot read-write and returns the merged directory; returns the same when mounted already.
   * `volatile`: the caller will throw the writes away (no sync at unmount). `bare`: an image's files alone, without the
   * mount points that a container finds beneath them.
   */
  mount(key: string, options?: { readonly volatile?: boolean; readonly bare?: boolean }): string
  unmount(key: string): Promise<void>
  isMounted(key: string): boolean
  /**
   * Makes the active snapshot `key` a committed one, as it is: `diffId` is the digest of its `diff()`, which the caller
   * has stored. Where that chain id exists already the active one is deleted. `key` is gone then.
   */
  commit(key: string, diffId: Digest): Promise<{ chainId: Digest; sizeBytes: number }>
  /** Unmounts and deletes an active snapshot; nothing when absent. */
  remove(key: string): Promise<void>
  /** Deletes a committed snapshot that has no child; `conflict` otherwise. */
  removeCommitted(chainId: Digest): Promise<void>
  /**
   * Bytes of the writable layer, or of one committed layer. `isAtRest`: its owner knows of nobody who writes to the
   * layer, so that its size is kept until something is mounted or copied there.
   */
  usage(keyOrChainId: string, options?: { readonly isAtRest?: boolean }): Promise<number>
  /** What the writable layer changed, sorted by path. */
  changes(key: string): Promise<Change[]>
  /** The writable layer as an uncompressed OCI layer tar (whiteouts included). */
  diff(key: string): Readable
  /** The whole merged tree as an uncompressed tar. */
  exportTree(key: string): Readable
  /**
   * Copies the directory `path` of the merged tree, with links followed inside it, into the existing directory `target`
   * of the host; false when the tree has none. Throws `invalid` where the tree has something else.
   */
  copyDirectory(key: string, path: string, target: string): Promise<boolean>
  /** Whether `copyDirectory()` would find anything. */
  hasDirectory(key: string, path: string): Promise<boolean>
  listActive(): string[]
  listCommitted(): { readonly chainId: Digest; readonly parent: Digest | undefined; readonly sizeBytes: number }[]
  /**
   * Host directories of a snapshot, as `GraphDriver.Data` shows them: LowerDir (absent where nothing is beneath),
   * UpperDir, WorkDir, MergedDir. Those of a committed one that nobody mounts are not there but for its UpperDir.
   */
  directories(keyOrChainId: string): Readonly<Record<string, string>>
  /** 'overlay2', or the fallback's name. */
  readonly driver: string
}
