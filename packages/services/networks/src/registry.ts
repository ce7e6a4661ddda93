import { conflict, invalid, type NetworkId, notFound } from '@berth/base'
import type { NetworkRecord } from './model.ts'

/** All networks in memory, predefined ones first. */
export class NetworkRegistry {
  readonly #byId = new Map<NetworkId, NetworkRecord>()
  /** Being made or removed: its name is taken, nobody finds it. */
  readonly #hidden = new Set<NetworkId>()

  constructor(records: readonly NetworkRecord[]) {
    for (const record of records) this.#byId.set(record.id, record)
  }

  /** Oldest first; without what is being made or removed. */
  all(): NetworkRecord[] {
    return this.everything().filter(({ id }) => !this.#hidden.has(id))
  }

  /** With what is being made or removed. */
  everything(): NetworkRecord[] {
    return [...this.#byId.values()]
  }

  byId(id: string): NetworkRecord | undefined {
    return this.#hidden.has(id as NetworkId) ? undefined : this.#byId.get(id as NetworkId)
  }

  /** Full id beats name beats id prefix. Throws `notFound`, or `invalid` for an ambiguous prefix. */
  resolve(ref: string): NetworkRecord {
    const all = this.all()
    const exact = this.byId(ref) ?? all.find(({ name }) => name === ref)
    if (exact) return exact
    const matches = ref === '' ? [] : all.filter(({ id }) => id.startsWith(ref))
    if (matches.length > 1) throw invalid(`network ${ref} is ambiguous (${matches.length} matches found on ID prefix)`)
    if (!matches[0]) throw notFound(`network ${ref} not found`)
    return matches[0]
  }

  /** Takes a network that is being made in, hidden until `show`. */
  hideNew(record: NetworkRecord): void {
    const other = this.everything().find(({ name }) => name === record.name)
    if (other) throw conflict(`network with name ${record.name} already exists`)
    this.#byId.set(record.id, record)
    this.#hidden.add(record.id)
  }

  hide(id: NetworkId): void {
    this.#hidden.add(id)
  }

  show(record: NetworkRecord): void {
    this.#byId.set(record.id, record)
    this.#hidden.delete(record.id)
  }

  remove(id: NetworkId): void {
    this.#byId.delete(id)
    this.#hidden.delete(id)
  }
}
