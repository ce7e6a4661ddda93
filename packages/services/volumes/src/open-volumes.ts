import {
  conflict,
  type ContainerId,
  EngineError,
  fault,
  type Filters,
  KeyedLock,
  type Logger,
  messageOf,
  newContainerId,
  notFound,
  randomId,
} from '@berth/base'
import type { Database } from '@berth/database'
import type { Events } from '@berth/events'
import { LayerWorker, type LayerWorkerOptions, Trash } from '@berth/storage'
import { planDirectories, type VolumeDirectories } from './directories.ts'
import { deviceOf, requireDriverOptions } from './driver-options.ts'
import { fillVolume, type FillTarget, finishFill } from './fill-volume.ts'
import { listTest, pruneTest } from './list-filters.ts'
import { openVolumeStore, type VolumeRecord } from './store.ts'
import type { Volume, VolumeRequest, VolumeUse } from './volume.ts'
import { discardDirectories, makeDirectories, makeRoot, releaseMounts, strayDirectories } from './volume-files.ts'
import { type MountPlace, VolumeMounts } from './volume-mounts.ts'
import { requireVolumeName } from './volume-name.ts'
import { missing, type Ownership, planRecord, VolumeRecords } from './volume-records.ts'
import { VolumeSizes } from './volume-sizes.ts'
import { VolumeUses } from './volume-uses.ts'
import type { Fill, LentVolume, MountDetails, Volumes } from './volumes.ts'

export interface VolumesOptions {
  /** The engine's data root; this service owns `<root>/volumes`. */
  readonly root: string
  readonly database: Database
  readonly events: Pick<Events, 'publish'>
  readonly logger: Logger
  readonly worker?: LayerWorkerOptions
}

/** The volumes, with what only their owner does with them. */
export interface OwnedVolumes extends Volumes, AsyncDisposable {
  /** Resolves when what was removed is deleted. */
  emptyTrash(): Promise<void>
}

/** Opens the volumes below `root` and ends what a crash has cut short. Devices stay mounted until `reconcile()`. */
export async function openVolumes(options: VolumesOptions): Promise<OwnedVolumes> {
  const directories = planDirectories(options.root)
  makeRoot(directories)
  const volumes = new OpenVolumes(options, directories)
  await volumes.recover()
  return volumes
}

class OpenVolumes implements OwnedVolumes {
  readonly #directories: VolumeDirectories
  readonly #records: VolumeRecords
  readonly #locks = new KeyedLock<string>()
  readonly #mounts = new VolumeMounts()
  readonly #uses = new VolumeUses()
  readonly #sizes: VolumeSizes
  readonly #worker: LayerWorker
  readonly #trash: Trash
  readonly #events: Pick<Events, 'publish'>
  readonly #logger: Logger

  constructor({ database, events, logger, worker }: VolumesOptions, directories: VolumeDirectories) {
    this.#directories = directories
    this.#events = events
    this.#logger = logger
    this.#records = new VolumeRecords(openVolumeStore(database))
    this.#worker = new LayerWorker(worker)
    this.#sizes = new VolumeSizes((path) => this.#worker.run('usage', { path }))
    this.#trash = new Trash(directories.trash, worker, logger)
  }

  async create(request: VolumeRequest): Promise<Volume> {
    const name = request.name || randomId()
    return this.#locks.run(name, () =>
      this.#present(this.#ensure({ ...request, name }, { isNamed: request.name !== '' })),
    )
  }

  get(name: string): Volume {
    return this.#present(this.#records.require(name))
  }

  list(filters: Filters = {}): Volume[] {
    const used = this.#uses.byVolume()
    const test = listTest(filters, (name) => used.has(name))
    const all = this.#records.all().filter(({ phase }) => phase !== 'removing')
    const volumes = all.map((record) => this.#present(record))
    return volumes.filter(test).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  }

  async remove(name: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.#locks.run(name, () => {
      if (this.#records.has(name)) this.#removeLocked(name)
      else if (!force) throw missing(name)
    })
  }

  removeUnused(name: string, but: ContainerId): Promise<boolean> {
    return this.#locks.run(name, () => {
      if (this.#usersOf(name).some((user) => user !== but)) return false
      if (this.#records.has(name)) this.#removeLocked(name, but)
      return true
    })
  }

  async prune(
    filters: Filters,
    { all = false }: { readonly all?: boolean } = {},
  ): Promise<{ deleted: string[]; reclaimedBytes: number }> {
    const test = pruneTest(filters, all)
    const deleted: string[] = []
    let reclaimedBytes = 0
    for (const { name } of this.list().filter(test)) {
      if (this.#usersOf(name).length > 0) continue
      this.#sizes.forget(name)
      const bytes = await this.usage(name).catch(() => 0)
      if (!(await this.#removeIfUnused(name))) continue
      deleted.push(name)
      reclaimedBytes += bytes
    }
    this.#events.publish('volume', 'prune', '', { reclaimed: String(reclaimedBytes) })
    return { deleted, reclaimedBytes }
  }

  async usage(name: string): Promise<number> {
    this.#records.require(name)
    const isAtRest = this.#mounts.usersOf(name).length === 0
    return await this.#sizes.of(name, this.#directories.data(name), isAtRest)
  }

  users(): ReadonlyMap<string, ReadonlySet<ContainerId>> {
    return this.#uses.byVolume()
  }

  strays(): string[] {
    return strayDirectories(this.#directories, (name) => this.#records.has(name))
  }

  onUseQuery(query: () => Iterable<VolumeUse>): void {
    this.#uses.addQuery(query)
  }

  async acquire(request: VolumeRequest, containerId: ContainerId): Promise<Volume> {
    const isNamed = request.name !== ''
    const name = request.name || randomId()
    return this.#locks.run(name, () => {
      const record = this.#ensure({ ...request, name }, { isNamed, madeFor: isNamed ? undefined : containerId })
      this.#uses.hold(name, containerId)
      return this.#present(record)
    })
  }

  keep(containerId: ContainerId, record: () => void): void {
    this.#records.keep(containerId, record)
    this.#uses.release(containerId)
  }

  async drop(containerId: ContainerId): Promise<void> {
    const names = this.#uses.release(containerId)
    for (const name of names) {
      if (this.#records.find(name)?.madeFor === containerId) await this.#removeIfUnused(name)
    }
  }

  async fill(name: string, containerId: ContainerId, fill: Fill): Promise<void> {
    await this.#locks.run(name, async () => {
      const record = this.#records.require(name)
      await this.#mountLocked(record, containerId)
      try {
        await fillVolume(this.#fillTarget(record), fill)
      } finally {
        await this.#giveBack(record, containerId, 1)
      }
    })
  }

  async mount(name: string, containerId: ContainerId, details?: MountDetails): Promise<string> {
    return this.#locks.run(name, async () => {
      const record = this.#records.require(name)
      await this.#mountLocked(record, containerId)
      if (details) this.#announce(record, 'mount', mountAttributes(containerId, details))
      return this.#directories.data(name)
    })
  }

  async lend(name: string): Promise<LentVolume> {
    const borrower = newContainerId()
    await this.#locks.run(name, () => this.#mountLocked(this.#records.require(name), borrower))
    const giveBack = async () => {
      const record = this.#records.find(name)
      if (record) await this.#giveBack(record, borrower)
    }
    return {
      path: this.#directories.data(name),
      [Symbol.asyncDispose]: () => this.#locks.run(name, giveBack),
    }
  }

  async unmountAll(containerId: ContainerId): Promise<void> {
    for (const name of this.#mounts.of(containerId)) await this.#unmount(name, containerId)
  }

  async reconcile(mounted: Iterable<VolumeUse>): Promise<void> {
    for (const { volume, containerId } of mounted) {
      if (this.#records.has(volume)) this.#mounts.note(volume, containerId)
    }
    for (const record of this.#records.all()) {
      if (!deviceOf(record.options) || this.#mounts.usersOf(record.name).length > 0) continue
      await this.#locks
        .run(record.name, () => releaseMounts(this.#directories, record.name))
        .catch((error: unknown) => {
          this.#logger.warn({ volume: record.name, error: messageOf(error) }, 'unmounting a volume that nobody uses')
        })
    }
  }

  emptyTrash(): Promise<void> {
    return this.#trash.empty()
  }

  /** Ends what a crash has cut short: removals, volumes of containers that never came to be, volumes half filled. */
  async recover(): Promise<void> {
    for (const record of this.#records.all()) {
      try {
        await this.#bringInOrder(record)
      } catch (error) {
        this.#logger.error({ volume: record.name, error: messageOf(error) }, 'bringing a volume in order')
      }
    }
    for (const path of this.strays()) this.#logger.warn({ path }, 'a directory of no known volume: left alone')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#trash[Symbol.asyncDispose]()
    await this.#worker[Symbol.asyncDispose]()
  }

  async #bringInOrder(record: VolumeRecord): Promise<void> {
    const { name, phase, madeFor } = record
    if (phase === 'removing' || madeFor !== undefined) return this.#discard(name)
    const wasGone = makeDirectories(this.#directories, name)
    if (wasGone) this.#logger.warn({ volume: name }, 'the directory of a volume was gone')
    if (!deviceOf(record.options)) await finishFill(phase, this.#fillTarget(record))
  }

  /** The volume of that name; made, directory and all, where there is none. The caller holds its lock. */
  #ensure(request: VolumeRequest, ownership: Ownership): VolumeRecord {
    const { name } = request
    return naming(`create ${name}`, () => {
      if (request.driver !== '' && request.driver !== 'local') {
        const plugin = `plugin ${JSON.stringify(request.driver)} not found`
        throw notFound(`error looking up volume plugin ${request.driver}: ${plugin}`)
      }
      const known = this.#records.find(name)
      if (known) return known
      requireVolumeName(name)
      if (request.options) requireDriverOptions(request.options)
      return this.#make(planRecord(request, ownership))
    })
  }

  #make(record: VolumeRecord): VolumeRecord {
    this.#records.insert(record, () => makeDirectories(this.#directories, record.name))
    fault('volume create: made')
    this.#announce(record, 'create')
    return record
  }

  async #removeIfUnused(name: string): Promise<boolean> {
    try {
      await this.remove(name)
      return true
    } catch (error) {
      if (error instanceof EngineError && (error.kind === 'conflict' || error.kind === 'notFound')) return false
      throw error
    }
  }

  #removeLocked(name: string, but?: ContainerId): void {
    const users = this.#usersOf(name).filter((user) => user !== but)
    if (users.length > 0) throw conflict(`remove ${name}: volume is in use - [${users.join(', ')}]`)
    const record = this.#records.require(name)
    // Never delete what is mounted, only what is the volume's own.
    releaseMounts(this.#directories, name)
    this.#records.setPhase(name, 'removing')
    fault('volume remove: marked')
    this.#discard(name)
    this.#announce(record, 'destroy')
  }

  #discard(name: string): void {
    this.#sizes.forget(name)
    releaseMounts(this.#directories, name)
    discardDirectories(this.#directories, this.#trash, name)
    fault('volume remove: renamed')
    this.#records.remove(name)
    fault('volume remove: recorded')
  }

  async #mountLocked(record: VolumeRecord, containerId: ContainerId): Promise<void> {
    this.#sizes.forget(record.name)
    await this.#mounts.mount(record.name, containerId, this.#place(record))
    if (record.phase !== 'copying' && record.phase !== 'moving') return
    try {
      await finishFill(record.phase, this.#fillTarget(record))
    } catch (error) {
      await this.#giveBack(record, containerId, 1)
      throw error
    }
  }

  /** Ends uses. A size that was asked for before they began, and found out meanwhile, is of a tree that went on changing. */
  async #giveBack(record: VolumeRecord, containerId: ContainerId, count?: number): Promise<void> {
    await this.#mounts.unmount(record.name, containerId, this.#place(record), count)
    this.#sizes.forget(record.name)
  }

  async #unmount(name: string, containerId: ContainerId): Promise<void> {
    await this.#locks.run(name, async () => {
      const record = this.#records.find(name)
      if (!record) return
      await this.#giveBack(record, containerId)
      this.#announce(record, 'unmount', { container: containerId })
    })
  }

  /** Who has it, and who has it mounted beside them. */
  #usersOf(name: string): ContainerId[] {
    return [...new Set([...this.#mounts.usersOf(name), ...this.#uses.of(name)])]
  }

  #place({ name, options }: VolumeRecord): MountPlace {
    return { device: deviceOf(options), target: this.#directories.data(name) }
  }

  #fillTarget({ name, options }: VolumeRecord): FillTarget {
    return {
      data: this.#directories.data(name),
      staging: this.#directories.staging(name, deviceOf(options) !== undefined),
      worker: this.#worker,
      setPhase: (phase) => this.#records.setPhase(name, phase),
    }
  }

  #announce({ name, driver }: VolumeRecord, action: string, attributes: Readonly<Record<string, string>> = {}): void {
    this.#events.publish('volume', action, name, { driver, ...attributes })
  }

  #present({ name, driver, createdAt, labels, options }: VolumeRecord): Volume {
    return { name, driver, createdAt, labels, options, mountpoint: this.#directories.data(name) }
  }
}

function mountAttributes(containerId: ContainerId, details: MountDetails): Record<string, string> {
  const { destination, isWritable, propagation } = details
  return { container: containerId, destination, propagation, 'read/write': String(isWritable) }
}

/** Names the subject of what `work` refuses, as Docker does. */
function naming<T>(subject: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof EngineError)
      throw new EngineError(error.kind, `${subject}: ${error.message}`, { cause: error })
    throw error
  }
}
