import type { DiskUsageResponse, EventMessage, InfoResponse, VersionResponse } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import { readJsonLines } from './lines.ts'
import type { Transport } from './transport.ts'

export interface EventsOptions {
  readonly since?: string
  readonly until?: string
  readonly filters?: Filters
}
export type ObjectKind = 'network' | 'volume' | 'plugin'

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
  async *events({ filters, ...query }: EventsOptions, signal?: AbortSignal): AsyncGenerator<EventMessage, void> {
    const options = { query: { ...query, filters: encodeFilters(filters) }, signal }
    const response = await this.#transport.request('GET', '/events', options)
    yield* readJsonLines<EventMessage>(response.body)
  }

  /** The description of a network, volume or plugin, as the engine sent it. */
  async inspectText(kind: ObjectKind, name: string): Promise<string> {
    const base = { network: '/networks/', volume: '/volumes/', plugin: '/plugins/' }[kind]
    const target = `${base}${encodeURIComponent(name)}${kind === 'plugin' ? '/json' : ''}`
    return (await this.#transport.request('GET', target)).text()
  }

  async pruneNetworks(filters?: Filters): Promise<string[]> {
    const query = { filters: encodeFilters(filters) }
    const answer = await this.#transport.json<{ NetworksDeleted: string[] | null }>('POST', '/networks/prune', {
      query,
    })
    return answer.NetworksDeleted ?? []
  }

  pruneVolumes(filters?: Filters): Promise<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.#transport.json('POST', '/volumes/prune', { query: { filters: encodeFilters(filters) } })
  }

  pruneBuildCache(query: { all?: boolean } = {}): Promise<{ CachesDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.#transport.json('POST', '/build/prune', { query })
  }
}
