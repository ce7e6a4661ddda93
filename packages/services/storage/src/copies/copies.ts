import { finished, type Readable } from 'node:stream'
import type { LayerWorker } from '../layers/layer-worker.ts'
import type { OwnedSnapshots } from '../snapshots/open-snapshots.ts'
import { containerPath } from './container-path.ts'
import type { PathStatus } from './stat-path.ts'
import type { TreeView, ViewMount } from './tree-view.ts'

/** The files of one container: a snapshot, with what is mounted on it. */
export interface ContainerTree {
  /** Of the active snapshot. */
  readonly key: string
  readonly mounts: readonly ViewMount[]
  /** Only mounts may be written to. */
  readonly isRootReadOnly: boolean
}

export interface ExtractOptions {
  /** Owns all that is copied, whatever the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  /** A directory is replaced by nothing else, and nothing else by a directory. */
  readonly keepsKinds: boolean
  readonly signal?: AbortSignal
}

/**
 * A container's files while somebody copies. Paths are the container's own: links, absolute ones too, are followed by the
 * kernel and lead nowhere else. Errors are in Docker's words. Dispose of it when all that was read is read.
 */
export interface OpenFiles extends Disposable {
  /** Host directory of the root file system, mounted. */
  readonly rootPath: string
  /** Undefined when there is no such file. A trailing slash, or `/.`, follows a last link. */
  stat(path: string): Promise<PathStatus | undefined>
  /** A tar of a file or directory; its entries begin with the last name of `path`. */
  pack(path: string): Readable
  /** Unpacks a tar, compressed or not, into a directory. */
  extract(path: string, source: AsyncIterable<Uint8Array>, options: ExtractOptions): Promise<void>
}

/** Files of containers in and out. */
export interface TreeCopies {
  openFiles(tree: ContainerTree): OpenFiles
}

interface Parts {
  readonly worker: LayerWorker
  readonly scratch: string
}

export function openFiles(snapshots: Pick<OwnedSnapshots, 'hold'>, parts: Parts, tree: ContainerTree): OpenFiles {
  const { worker, scratch } = parts
  const { key, mounts, isRootReadOnly } = tree
  const hold = snapshots.hold(key)
  const view: TreeView = { root: hold.path, mounts, scratch }
  let streams = 0
  let isDisposed = false
  const release = () => {
    if (isDisposed && streams === 0) hold[Symbol.dispose]()
  }
  return {
    rootPath: hold.path,
    stat: (path) => worker.run('stat', { view, path: containerPath(path) }),
    pack: (path) => {
      const stream = worker.stream('pack', { view, path: containerPath(path) })
      streams++
      finished(stream, () => {
        streams--
        release()
      })
      return stream
    },
    extract: (path, source, { signal, ...options }) =>
      worker.feed('extract', { view, path: containerPath(path), isRootReadOnly, ...options }, source, signal),
    [Symbol.dispose]: () => {
      isDisposed = true
      release()
    },
  }
}
