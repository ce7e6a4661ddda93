import type { DecompressionLimits } from '@berth/archive'
import { conflict, type Logger, messageOf, notFound } from '@berth/base'
import type { Database } from '@berth/database'
import { spreadSubdirectories } from '@berth/linux'
import type { Digest } from '@berth/oci'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { LayerLimits } from '../layers/apply-layer.ts'
import { checkSnapshots } from '../check/check-snapshots.ts'
import type { Found } from '../check/finding.ts'
import { type ContainerTree, openFiles, type OpenFiles, type TreeCopies } from '../copies/copies.ts'
import { KeptSizes } from '../kept-sizes.ts'
import { LayerWorker, type LayerWorkerOptions } from '../layers/layer-worker.ts'
import type { Change, LayerSource, Snapshots } from '../snapshots.ts'
import type { SnapshotContext } from './context.ts'
import { createCopyDriver } from './copy-driver.ts'
import { planDirectories } from './directories.ts'
import type { DriverPaths, SnapshotDriver } from './driver.ts'
import { Holds } from './holds.ts'
import { fillInitLayer } from './init-layer.ts'
import { overlayDriver } from './overlay-driver.ts'
import { openTrees, type Trees } from '../trees/trees.ts'
import { type ActiveSnapshot, type CommittedSnapshot, SnapshotTable } from './snapshot-table.ts'
import { freshName, sweepSnapshots } from './sweep.ts'
import { Syncer } from './syncer.ts'
import { Trash } from './trash.ts'
import { chainOf, type Unpacked, Unpacker } from './unpacker.ts'

export interface SnapshotsOptions {
  /** The engine's data root; this service owns `<root>/snapshots`. */
  readonly root: string
  readonly database: Database
  readonly logger: Logger
  /** Default 'overlay2'. */
  readonly driver?: 'overlay2' | 'vfs'
  readonly worker?: LayerWorkerOptions
  /** What one layer may take of memory and disk. */
  readonly limits?: Partial<LayerLimits & DecompressionLimits>
  /** For tests: called at the named points between the steps of what must be all or nothing. */
  readonly fault?: (point: string) => void
}

export interface SnapshotHold extends Disposable {
  /** The merged directory. */
  readonly path: string
}

/** The snapshots, and what only their owner does with them. */
export interface OwnedSnapshots extends Snapshots, TreeCopies, AsyncDisposable {
  /**
   * Mounts an active snapshot for somebody who reads or writes its files beside its owner. It stays mounted until every
   * hold was disposed of, even where the owner unmounts it meanwhile; what failed then is logged.
   */
  hold(key: string): SnapshotHold
  /** Resolves when what was removed is deleted. */
  emptyTrash(): Promise<void>
  /** Resolves when every committed layer is on the disk. */
  sync(): Promise<void>
  committed(chainId: Digest): CommittedSnapshot | undefined
  /** What is not as the rows have it. `isInUse`: who may have an active snapshot mounted. */
  check(isInUse: (key: string) => boolean): Iterable<Found>
  /** Of a file, by the same worker. */
  digestOf(path: string, algorithm: string): Promise<Digest>
  /** Other trees, by the same worker. */
  readonly trees: Trees
  /** The parents of active snapshots. */
  activeParents(): Digest[]
}

/** Layers that an image may have, as Docker limits them. */
const maxLayers = 127

/** Opens the snapshots below `root` and sweeps what a crash has left. Dispose of it to stop the worker; mounts stay. */
export function openSnapshots(options: SnapshotsOptions): OwnedSnapshots {
  const { root, database, logger } = options
  const directories = planDirectories(root)
  mkdirSync(directories.root, { recursive: true, mode: 0o710 })
  const worker = new LayerWorker(options.worker)
  const table = new SnapshotTable(database)
  const trash = new Trash(directories.trash, options.worker, logger)
  const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  sweepSnapshots({ table, directories, trash, logger, bootId })
  for (const one of [directories.root, directories.temporary]) spreadSubdirectories(one)
  mkdirSync(directories.init, { recursive: true, mode: 0o755 })
  chmodSync(directories.init, 0o755)
  fillInitLayer(directories.init)
  const syncer = new Syncer(directories.root, { table, worker, logger })
  syncer.schedule()
  const driver = options.driver === 'vfs' ? createCopyDriver(worker) : overlayDriver
  const onCommit = () => syncer.schedule()
  const fault = options.fault ?? (() => {})
  const { limits } = options
  return new OpenSnapshots(
    { table, directories, driver, worker, trash, logger, bootId, limits, fault, onCommit },
    syncer,
  )
}

/** Without the init layer, which is the last; nothing but an empty layer needs no mount. */
function mountBare(driver: SnapshotDriver, paths: DriverPaths, volatile: boolean): string {
  const lower = paths.lower.slice(0, -1)
  return lower.length === 0 ? paths.files : driver.mount({ ...paths, lower }, { volatile })
}

class OpenSnapshots implements OwnedSnapshots {
  readonly #context: SnapshotContext
  readonly #syncer: Syncer
  readonly #unpacker: Unpacker
  readonly #holds = new Holds()
  readonly #sizes = new KeptSizes()
  readonly trees: Trees

  constructor(context: SnapshotContext, syncer: Syncer) {
    this.#context = context
    this.#syncer = syncer
    this.#unpacker = new Unpacker(context)
    this.trees = openTrees(context.worker)
  }

  get driver(): string {
    return this.#context.driver.name
  }

  has(chainId: Digest): boolean {
    return this.#context.table.committed.has(chainId)
  }

  unpack(parent: Digest | undefined, layer: LayerSource, signal?: AbortSignal): Promise<Unpacked> {
    return this.#unpacker.unpack(parent, layer, signal)
  }

  async prepare(key: string, parent: Digest | undefined): Promise<void> {
    const { table, driver, fault } = this.#context
    if (table.active.has(key)) throw conflict(`snapshot ${key} exists already`)
    const snapshot = { number: table.nextNumber(), key, parent }
    const paths = this.#paths(snapshot)
    try {
      table.insertActive(snapshot, () => {
        driver.prepare(paths)
        fault('prepare: made')
      })
    } catch (error) {
      this.#discard(snapshot.number)
      throw error
    }
    try {
      await driver.fill?.(paths)
    } catch (error) {
      await this.remove(key)
      throw error
    }
  }

  mount(key: string, { volatile = false, bare = false }: { volatile?: boolean; bare?: boolean } = {}): string {
    const { driver } = this.#context
    const paths = this.#paths(this.#active(key))
    this.#sizes.forget(key)
    const path = bare ? mountBare(driver, paths, volatile) : driver.mount(paths, { volatile })
    this.#holds.claim(key)
    return path
  }

  async unmount(key: string): Promise<void> {
    const snapshot = this.#context.table.active.get(key)
    if (snapshot && this.#holds.yield(key)) await this.#context.driver.unmount(this.#ownPaths(snapshot))
  }

  hold(key: string): SnapshotHold {
    const { driver } = this.#context
    const paths = this.#paths(this.#active(key))
    const wasMounted = driver.isMounted(paths)
    this.#sizes.forget(key)
    const path = driver.mount(paths, { volatile: false })
    this.#holds.add(key, !wasMounted)
    return { path, [Symbol.dispose]: once(() => void this.#release(key, paths)) }
  }

  isMounted(key: string): boolean {
    const snapshot = this.#context.table.active.get(key)
    return snapshot !== undefined && this.#context.driver.isMounted(this.#ownPaths(snapshot))
  }

  async commit(key: string, diffId: Digest): Promise<{ chainId: Digest; sizeBytes: number }> {
    const { table, driver, directories, bootId, fault, onCommit } = this.#context
    const active = this.#active(key)
    const { number, parent } = active
    const chainId = chainOf(parent, diffId)
    await driver.unmount(this.#ownPaths(active))
    this.#sizes.forget(key)
    const sizeBytes = await this.usage(key)
    const existing = table.committed.get(chainId)
    if (existing) {
      await this.remove(key)
      return existing
    }
    table.commitActive(key, { number, chainId, diffId, parent, sizeBytes, createdMs: Date.now(), unsyncedBoot: bootId })
    fault('commit: recorded')
    for (const directory of [directories.work(number), directories.merged(number)]) {
      rmSync(directory, { recursive: true, force: true })
    }
    onCommit()
    return { chainId, sizeBytes }
  }

  async remove(key: string): Promise<void> {
    const { table, driver } = this.#context
    const snapshot = table.active.get(key)
    if (!snapshot) return
    this.#holds.forget(key)
    this.#sizes.forget(key)
    await driver.unmount(this.#ownPaths(snapshot))
    // Another removal may have come first meanwhile.
    if (table.active.get(key) !== snapshot) return
    table.deleteActive(key, () => this.#discard(snapshot.number))
  }

  async removeCommitted(chainId: Digest): Promise<void> {
    const { table } = this.#context
    const snapshot = table.committed.get(chainId)
    if (!snapshot) return
    if (table.hasChild(chainId) || this.#unpacker.isParent(chainId)) {
      throw conflict(`snapshot ${chainId} is in use by another`)
    }
    table.deleteCommitted(chainId, () => this.#discard(snapshot.number))
  }

  async usage(keyOrChainId: string, { isAtRest = false }: { readonly isAtRest?: boolean } = {}): Promise<number> {
    const { table, driver } = this.#context
    const committed = table.committed.get(keyOrChainId as Digest)
    if (committed) return committed.sizeBytes
    const snapshot = this.#active(keyOrChainId)
    const isQuiet = isAtRest && !driver.isMounted(this.#ownPaths(snapshot))
    return await this.#sizes.of(snapshot.key, () => this.#walk(snapshot), { isAtRest: isQuiet })
  }

  changes(key: string): Promise<Change[]> {
    return this.#context.worker.run('changes', this.#treeTask(key))
  }

  diff(key: string): Readable {
    return this.#context.worker.stream('diff', this.#treeTask(key))
  }

  exportTree(key: string): Readable {
    const { root, target } = this.#openView(key)
    const stream = this.#context.worker.stream('export', { path: root })
    stream.once('close', () => void this.#closeView(target))
    return stream
  }

  copyDirectory(key: string, path: string, target: string): Promise<boolean> {
    return this.#copy(key, path, target)
  }

  hasDirectory(key: string, path: string): Promise<boolean> {
    return this.#copy(key, path, undefined)
  }

  openFiles(tree: ContainerTree): OpenFiles {
    const { worker, directories } = this.#context
    return openFiles(this, { worker, scratch: directories.temporary }, tree)
  }

  listActive(): string[] {
    return [...this.#context.table.active.keys()]
  }

  listCommitted(): { readonly chainId: Digest; readonly parent: Digest | undefined; readonly sizeBytes: number }[] {
    return [...this.#context.table.committed.values()]
  }

  committed(chainId: Digest): CommittedSnapshot | undefined {
    return this.#context.table.committed.get(chainId)
  }

  activeParents(): Digest[] {
    return [...this.#context.table.active.values()].flatMap(({ parent }) => parent ?? [])
  }

  directories(keyOrChainId: string): Readonly<Record<string, string>> {
    const committed = this.#context.table.committed.get(keyOrChainId as Digest)
    if (committed) return this.#context.driver.describe(this.#pathsOfLayer(committed))
    const snapshot = this.#active(keyOrChainId)
    const isWhole = this.#context.table.lineage(snapshot.parent) !== undefined
    return this.#context.driver.describe(isWhole ? this.#paths(snapshot) : this.#ownPaths(snapshot))
  }

  check(isInUse: (key: string) => boolean): Iterable<Found> {
    return checkSnapshots({ ...this.#context, isInUse: (key) => isInUse(key) || this.#holds.has(key) })
  }

  digestOf(path: string, algorithm: string): Promise<Digest> {
    return this.#context.worker.run('digest', { path, algorithm })
  }

  emptyTrash(): Promise<void> {
    return this.#context.trash.empty()
  }

  sync(): Promise<void> {
    return this.#syncer.sync()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#syncer[Symbol.dispose]()
    await this.#unpacker.stop()
    await this.#context.trash[Symbol.asyncDispose]()
    await this.#context.worker[Symbol.asyncDispose]()
  }

  #active(key: string): ActiveSnapshot {
    const snapshot = this.#context.table.active.get(key)
    if (!snapshot) throw notFound(`snapshot ${key} does not exist`)
    return snapshot
  }

  #paths(snapshot: ActiveSnapshot): DriverPaths {
    return { ...this.#ownPaths(snapshot), lower: this.#lower(snapshot.parent) }
  }

  /** The init layer is containers' own. */
  #pathsOfLayer(snapshot: CommittedSnapshot): DriverPaths {
    return { ...this.#ownPaths(snapshot), lower: this.#lower(snapshot.parent).slice(0, -1) }
  }

  /** Enough to unmount by, also when a parent is gone. */
  #ownPaths({ number }: Pick<ActiveSnapshot, 'number'>): DriverPaths {
    const { directories } = this.#context
    const [files, work, merged] = [directories.files(number), directories.work(number), directories.merged(number)]
    return { files, work, merged, lower: [] }
  }

  #lower(parent: Digest | undefined): string[] {
    const { table, directories, driver } = this.#context
    const lineage = table.lineage(parent)
    if (!lineage) throw notFound(`snapshot ${parent} does not exist`)
    if (lineage.length > maxLayers)
      throw conflict(`an image may have ${maxLayers} layers, this one has ${lineage.length}`)
    const layers = driver.copiesParent ? lineage.slice(0, 1) : lineage
    return [...layers.map(({ number }) => directories.files(number)), directories.init]
  }

  #treeTask(key: string): {
    readonly path: string
    readonly lower: readonly string[]
    readonly form: 'overlay' | 'copy'
  } {
    const { files, lower } = this.#paths(this.#active(key))
    return { path: files, lower, form: this.#context.driver.form }
  }

  async #walk({ number, parent }: ActiveSnapshot): Promise<number> {
    const { worker, directories, driver } = this.#context
    const bytes = await worker.run('usage', { path: directories.files(number) })
    return driver.copiesParent ? Math.max(0, bytes - this.#sizeOf(parent)) : bytes
  }

  #sizeOf(parent: Digest | undefined): number {
    return parent === undefined ? 0 : (this.#context.table.committed.get(parent)?.sizeBytes ?? 0)
  }

  #discard(number: number): void {
    const { directories, trash, fault } = this.#context
    const path = directories.of(number)
    if (existsSync(path)) trash.take(path, freshName(String(number)))
    fault('remove: renamed')
  }

  async #copy(key: string, path: string, target: string | undefined): Promise<boolean> {
    const view = this.#openView(key)
    try {
      return await this.#context.worker.run('copy', { root: view.root, path, target })
    } finally {
      await this.#closeView(view.target)
    }
  }

  /** The whole tree, readable at `root` until `target` is closed. */
  #openView(key: string): { readonly root: string; readonly target: string } {
    const { driver, directories } = this.#context
    const paths = this.#paths(this.#active(key))
    const target = join(directories.temporary, freshName('view'))
    mkdirSync(target, { mode: 0o700 })
    try {
      return { root: driver.view(paths, target), target }
    } catch (error) {
      rmdirSync(target)
      throw error
    }
  }

  async #release(key: string, paths: DriverPaths): Promise<void> {
    if (!this.#holds.release(key)) return
    await this.#context.driver.unmount(paths).catch((error: unknown) => {
      this.#context.logger.warn({ key, error: messageOf(error) }, 'snapshots: could not unmount')
    })
  }

  async #closeView(target: string): Promise<void> {
    await this.#context.driver.unview(target)
    rmdirSync(target)
  }
}

const once = (work: () => void): (() => void) => {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}
