import { releaseMemory } from '@berth/base'
import { cloneMount, syncFileSystem } from '@berth/linux'
import { type Digest, Digester } from '@berth/oci'
import { closeSync, constants, createReadStream, mkdirSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { extractInto, type ExtractTask } from '../copies/extract.ts'
import { packPath } from '../copies/pack-path.ts'
import { type PathStatus, statPath } from '../copies/stat-path.ts'
import { openView, type TreeView } from '../copies/tree-view.ts'
import type { Change } from '../snapshots.ts'
import { copySources, type CopySourcesTask } from '../trees/copy-sources.ts'
import { digestSources, type SourcesDigest } from '../trees/digest-sources.ts'
import { addArchive, isArchive } from '../trees/add-archive.ts'
import { fillTree, type FillTask } from '../trees/fill-tree.ts'
import { makeDirectory, makeEmptyDirectory } from '../trees/make-directory.ts'
import { unshareFiles, type UnshareTask } from '../trees/unshare-files.ts'
import type { SourceSelection } from '../trees/selection.ts'
import type { AddArchiveTask, MakeDirectoryTask } from '../trees/trees.ts'
import { changesOf, type TreeForm } from './changes.ts'
import { copyTree } from './copy-tree.ts'
import { removeTree } from './directory.ts'
import { copyFromRoot, type CopyTask, moveEntries } from './move-in.ts'
import { LowerStack } from './lower-stack.ts'
import { packTree } from './pack-tree.ts'
import { unpackLayer, type UnpackResult, type UnpackTask } from './unpack-layer.ts'
import { usageOf } from './usage.ts'

/** Work on trees of files, done by a worker thread. All paths are absolute host paths. */
export interface Tasks {
  /** Fills `target`, after copying `parent` into it where given. */
  unpack(task: UnpackTask & { readonly parent?: string }, signal: AbortSignal): Promise<UnpackResult>
  usage(task: { readonly path: string }): number
  /** Copies a directory of a tree; false when there is none. */
  copy(task: CopyTask): boolean
  /** Fills the directory `to` with what is in `from`. */
  copyTree(task: { readonly from: string; readonly to: string }): void
  /** Moves all that is in `from` into `to`, and its metadata; what has the name of something there stays. */
  move(task: { readonly from: string; readonly to: string }): void
  changes(task: TreeTask): Change[]
  /** Removes trees; what is absent is skipped. */
  remove(task: { readonly paths: readonly string[] }): void
  /** Reads a file to its end. */
  digest(task: { readonly path: string; readonly algorithm: string }, signal: AbortSignal): Promise<Digest>
  /** Status of a path in a container's files; undefined when there is none. */
  stat(task: { readonly view: TreeView; readonly path: string }): PathStatus | undefined
  /** Writes everything dirty in the file system of `path` to its disk. */
  sync(task: { readonly path: string }): void
  /** What a build copies, by its content. */
  digestSources(task: SourceSelection): SourcesDigest
  copySources(task: CopySourcesTask): void
  makeDirectory(task: MakeDirectoryTask): boolean
  makeEmptyDirectory(task: MakeDirectoryTask): string | undefined
  addArchive(task: AddArchiveTask, signal: AbortSignal): Promise<void>
  isArchive(task: SourceSelection): boolean
  /** Copies files that have names elsewhere too; true when none is left. */
  unshare(task: UnshareTask): boolean
}

/** A writable tree and the layers beneath it, the topmost first. */
export interface TreeTask {
  readonly path: string
  readonly lower: readonly string[]
  readonly form: TreeForm
}

/** Work that yields a tar. */
export interface Streams {
  /** The tree as a layer over `lower`. */
  diff(task: TreeTask): Generator<Buffer>
  /** The whole tree. */
  export(task: { readonly path: string }): Generator<Buffer>
  /** A file or directory of a container's files. */
  pack(task: { readonly view: TreeView; readonly path: string }): Generator<Buffer>
}

/** Work that takes bytes as they come. */
export interface Sinks {
  /** Unpacks an archive in a container's files. */
  extract(
    task: ExtractTask & { readonly view: TreeView },
    source: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<void>
  /** Fills an empty directory with the entries that `encodeTreeRecord()` made. */
  fill(task: FillTask, source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
}

export type TaskName = keyof Tasks
export type StreamName = keyof Streams
export type SinkName = keyof Sinks

export const tasks: Tasks = {
  unpack({ parent, ...task }, signal) {
    mkdirSync(task.target, { recursive: true })
    if (parent !== undefined) copyTree(parent, task.target)
    return unpackLayer(task, signal)
  },
  usage: ({ path }) => withDirectory(path, usageOf),
  copy: copyFromRoot,
  copyTree: ({ from, to }) => copyTree(from, to),
  move: ({ from, to }) => withDirectory(from, (source) => withDirectory(to, (target) => moveEntries(source, target))),
  changes({ path, lower, form }) {
    using stack = LowerStack.open(lower)
    return withDirectory(path, (fd) => changesOf(fd, stack, form))
  },
  async digest({ path, algorithm }, signal) {
    const digester = new Digester(algorithm)
    for await (const chunk of createReadStream(path, { highWaterMark: 512 << 10, signal })) {
      digester.update(chunk as Buffer)
      releaseMemory(chunk as Buffer)
    }
    return digester.digest()
  },
  stat({ view, path }) {
    using open = openView(view)
    return statPath(open.root, path)
  },
  digestSources,
  copySources,
  makeDirectory,
  makeEmptyDirectory,
  addArchive,
  isArchive,
  unshare: unshareFiles,
  sync: ({ path }) => withDirectory(path, syncFileSystem),
  remove({ paths }) {
    for (const path of paths) withDirectory(dirname(path), (fd) => removeTree(fd, basename(path)))
  },
}

export const streams: Streams = {
  *diff({ path, lower, form }) {
    // An overlay's upper says itself what it hides.
    using stack = form === 'overlay' ? LowerStack.open([]) : LowerStack.open(lower)
    yield* packDirectoryAt(path, (fd) => packTree(fd, form, stack))
  },
  *export({ path }) {
    yield* packDirectoryAt(path, (fd) => packTree(fd, 'whole'))
  },
  *pack({ view, path }) {
    using open = openView(view)
    yield* packPath(open.root, path)
  },
}

export const sinks: Sinks = {
  async extract({ view, ...task }, source, signal) {
    using open = openView(view)
    await extractInto(open.root, task, source, signal)
  },
  fill: fillTree,
}

/** A container may be writing there: what it makes a device of meanwhile is not opened on such a mount. */
function* packDirectoryAt(path: string, pack: (fd: number) => Generator<Buffer>): Generator<Buffer> {
  const fd = cloneMount(path)
  try {
    yield* pack(fd)
  } finally {
    closeSync(fd)
  }
}

function withDirectory<T>(path: string, work: (fd: number) => T): T {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return work(fd)
  } finally {
    closeSync(fd)
  }
}
