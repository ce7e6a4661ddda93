import type { Readable } from 'node:stream'
import type { LayerWorker } from '../layers/layer-worker.ts'
import type { FillTask } from './fill-tree.ts'
import type { UnshareTask } from './unshare-files.ts'
import type { CopySourcesTask } from './copy-sources.ts'
import type { SourcesDigest } from './digest-sources.ts'
import type { SourceSelection } from './selection.ts'

/** Work on trees of files that are no snapshots, or are mounted, off the event loop. All roots are absolute host paths. */
export interface Trees {
  /** Starts a thread, if none is there: work comes soon. */
  expectWork(): void
  /** What a build copies, by its content. */
  digest(selection: SourceSelection): Promise<SourcesDigest>
  copy(task: CopySourcesTask): Promise<void>
  /** Makes a directory and what is missing above it, resolved inside `root`; false when it was there. */
  makeDirectory(task: MakeDirectoryTask): Promise<boolean>
  /** The same; where in `root` it is, links resolved, when nothing is in it, and undefined otherwise. */
  makeEmptyDirectory(task: MakeDirectoryTask): Promise<string | undefined>
  /** Unpacks a tar, compressed or not, into the existing directory `target`. */
  unpack(task: { readonly source: string; readonly target: string }, signal?: AbortSignal): Promise<void>
  /** Unpacks a layer over the tree `target`, of which goes what the layer's whiteouts hide. */
  applyLayer(task: { readonly source: string; readonly target: string }, signal?: AbortSignal): Promise<void>
  /** Unpacks an archive that lies in one tree into a directory of another, whose parents are made. */
  addArchive(task: AddArchiveTask, signal?: AbortSignal): Promise<void>
  /** Whether what is selected is one archive that `addArchive` can unpack. */
  isArchive(selection: SourceSelection): Promise<boolean>
  remove(paths: readonly string[]): Promise<void>
  /** Bytes of the files below a directory, each once. */
  usage(path: string): Promise<number>
  /** Fills the empty directory `target` with the entries that `encodeTreeRecord()` made. */
  fill(
    target: string,
    records: AsyncIterable<Uint8Array>,
    options: Pick<FillTask, 'base'> & { readonly signal: AbortSignal },
  ): Promise<void>
  /** Copies files of a tree that have names elsewhere too, `maxFiles` at most; true when none is left. */
  unshare(task: UnshareTask): Promise<boolean>
  /** The whole tree as a tar; destroying the stream stops it. */
  pack(root: string): Readable
}

export interface MakeDirectoryTask {
  readonly root: string
  /** Absolute inside of it. */
  readonly path: string
  readonly owner: { readonly uid: number; readonly gid: number }
}

export interface AddArchiveTask {
  readonly selection: SourceSelection
  /** Of all that is unpacked; undefined: as the archive says, and root of what is missing above it. */
  readonly owner?: { readonly uid: number; readonly gid: number }
  readonly target: string
  readonly destination: string
}

/** The trees by a layer worker. */
export function openTrees(worker: LayerWorker): Trees {
  return {
    expectWork: () => worker.start(),
    digest: (selection) => worker.run('digestSources', selection),
    copy: (task) => worker.run('copySources', task),
    makeDirectory: (task) => worker.run('makeDirectory', task),
    makeEmptyDirectory: (task) => worker.run('makeEmptyDirectory', task),
    unpack: async ({ source, target }, signal) => {
      await worker.run('unpack', { source, target, whiteouts: 'none' }, signal)
    },
    applyLayer: async ({ source, target }, signal) => {
      await worker.run('unpack', { source, target, whiteouts: 'remove' }, signal)
    },
    addArchive: (task, signal) => worker.run('addArchive', task, signal),
    isArchive: (selection) => worker.run('isArchive', selection),
    fill: (target, records, { base, signal }) => worker.feed('fill', { target, base }, records, signal),
    unshare: (task) => worker.run('unshare', task),
    pack: (root) => worker.stream('export', { path: root }),
    remove: (paths) => worker.run('remove', { paths }),
    usage: (path) => worker.run('usage', { path }),
  }
}
