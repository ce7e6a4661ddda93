import { type ContainerId, type EngineError, fault, formatTimeNs, notFound, nowNs } from '@berth/base'
import type { VolumePhase, VolumeRecord, VolumeStore } from './store.ts'
import { anonymousLabel, type VolumeRequest } from './volume.ts'

/** The volumes' records by name, in memory and in the store. */
export class VolumeRecords {
  readonly #store: VolumeStore
  readonly #records: Map<string, VolumeRecord>

  constructor(store: VolumeStore) {
    this.#store = store
    this.#records = new Map(store.load().map((record) => [record.name, record]))
  }

  all(): VolumeRecord[] {
    return [...this.#records.values()]
  }

  find(name: string): VolumeRecord | undefined {
    return this.#records.get(name)
  }

  has(name: string): boolean {
    return this.#records.has(name)
  }

  require(name: string): VolumeRecord {
    const record = this.#records.get(name)
    if (!record) throw missing(name)
    return record
  }

  /** Adds a record and does `work`: where that fails there is no record. */
  insert(record: VolumeRecord, work: () => void): void {
    const { name } = record
    this.#store.insert(record)
    fault('volume create: recorded')
    try {
      work()
    } catch (error) {
      this.#store.remove(name)
      throw error
    }
    this.#records.set(name, record)
  }

  setPhase(name: string, phase: VolumePhase): void {
    this.#store.setPhase(name, phase)
    this.#records.set(name, { ...this.require(name), phase })
  }

  /** The container comes to be by `work`, and these volumes of it stay, in one transaction. */
  keep(containerId: ContainerId, work: () => void): void {
    this.#store.keep(containerId, work)
    for (const record of this.#records.values()) {
      if (record.madeFor === containerId) this.#records.set(record.name, { ...record, madeFor: undefined })
    }
  }

  remove(name: string): void {
    this.#store.remove(name)
    this.#records.delete(name)
  }
}

export const missing = (name: string): EngineError => notFound(`get ${name}: no such volume`)

/** Whose a new volume is. `madeFor`: it goes when that container does not come to be. */
export interface Ownership {
  readonly isNamed: boolean
  readonly madeFor?: ContainerId | undefined
}

export function planRecord({ name, labels, options }: VolumeRequest, { isNamed, madeFor }: Ownership): VolumeRecord {
  const createdAt = formatTimeNs((nowNs() / 1_000_000_000n) * 1_000_000_000n)
  const shown = options && Object.keys(options).length > 0 ? options : null
  const ownLabels = isNamed ? labels : { ...labels, [anonymousLabel]: '' }
  return { name, driver: 'local', createdAt, labels: ownLabels, options: shown, madeFor, phase: 'ready' }
}
