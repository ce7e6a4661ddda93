import type { DiskUsageResponse, EventMessage, InfoResponse, VersionResponse } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import { readLines } from './lines.ts'
import type { Transport } from './transport.ts'

export interface EventsOptions {
  readonly since?: string
  readonly until?: string
  readonly filters?: Filters
}
export type ObjectKind = 'network' | 'volume' | 'plugin'

export interface BuildCacheOptions {
  readonly all?: boolean
  readonly filters?: Filters
  readonly keepStorageBytes?: number
  /** May stay, whatever is asked. */
  readonly reservedBytes?: number
  /** Of the cache, at most. */
  readonly maxUsedBytes?: number
  /** Of the disk, at least. */
  readonly minFreeBytes?: number
}
export interface BuildCachePruned {
  readonly CachesDeleted: string[] | null
  readonly SpaceReclaimed: number
}

export interface CheckFinding {
  readonly Kind: string
  /** A digest, a path or a container's id. */
  readonly Subject: string
  readonly Message: string
  /** What a repair does, or has done; '' where only a human can tell. */
  readonly Remedy: string
  readonly Repaired: boolean
}

/** What belongs to the engine as a whole. */
export class SystemClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  version(): Promise<VersionResponse> {
    return this.#transport.json('GET', '/version')
  }

  info(): Promise<InfoResponse> {
    return this.#transport.json('GET', '/info')
  }

  diskUsage(types?: readonly string[]): Promise<DiskUsageResponse> {
    return this.#transport.json('GET', '/system/df', { query: { type: types } })
  }

  /** Events as they happen, until `until` or for ever. */
  async *events(options: EventsOptions, signal?: AbortSignal): AsyncGenerator<EventMessage, void> {
    for await (const line of this.eventLines(options, signal)) yield JSON.parse(line) as EventMessage
  }

  /** As `events`, the JSON texts as the engine sent them: their nanoseconds are beyond a JavaScript number. */
  async *eventLines({ filters, ...query }: EventsOptions, signal?: AbortSignal): AsyncGenerator<string, void> {
    const options = { query: { ...query, filters: encodeFilters(filters) }, signal }
    yield* readLines((await this.#transport.request('GET', '/events', options)).body)
  }

  /** The description of a network, volume or plugin, as the engine sent it. */
  async inspectText(kind: ObjectKind, name: string): Promise<string> {
    const base = { network: '/networks/', volume: '/volumes/', plugin: '/plugins/' }[kind]
    const target = `${base}${encodeURIComponent(name)}${kind === 'plugin' ? '/json' : ''}`
    return (await this.#transport.request('GET', target)).text()
  }

  /** What is not as the engine's records have it; with `repair` mended where that loses nothing. */
  async check(repair: boolean): Promise<readonly CheckFinding[]> {
    const query = { repair: repair || undefined }
    return (await this.#transport.json<{ Findings: CheckFinding[] }>('POST', '/berth/check', { query })).Findings
  }

  pruneBuildCache({ all, filters, ...limits }: BuildCacheOptions = {}): Promise<BuildCachePruned> {
    const query = {
      all,
      filters: encodeFilters(filters),
      'keep-storage': limits.keepStorageBytes,
      'reserved-space': limits.reservedBytes,
      'max-used-space': limits.maxUsedBytes,
      'min-free-space': limits.minFreeBytes,
    }
    return this.#transport.json('POST', '/build/prune', { query })
  }
}
