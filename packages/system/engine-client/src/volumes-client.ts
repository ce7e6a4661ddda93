import type { VolumeListResponse, VolumeResponse } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import type { Transport } from './transport.ts'

/** The body of a create: what is left out takes the engine's default. */
export interface VolumeCreateBody {
  readonly Name?: string
  readonly Driver?: string
  readonly DriverOpts?: Readonly<Record<string, string>>
  readonly Labels?: Readonly<Record<string, string>>
}

/** `/volumes`. */
export class VolumesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list(filters?: Filters, signal?: AbortSignal): Promise<VolumeListResponse> {
    return this.#transport.json('GET', '/volumes', { query: { filters: encodeFilters(filters) }, signal })
  }

  create(body: VolumeCreateBody, signal?: AbortSignal): Promise<VolumeResponse> {
    return this.#transport.json('POST', '/volumes/create', { json: body, signal })
  }

  inspect(name: string, signal?: AbortSignal): Promise<VolumeResponse> {
    return this.#transport.json('GET', path(name), { signal })
  }

  /** As `inspect`, the bytes as the engine sent them. */
  async inspectText(name: string, signal?: AbortSignal): Promise<string> {
    return (await this.#transport.request('GET', path(name), { signal })).text()
  }

  async remove(name: string, query: { force?: boolean } = {}, signal?: AbortSignal): Promise<void> {
    await this.#transport.send('DELETE', path(name), { query, signal })
  }

  /** Anonymous volumes, unless `filters` says `all`. */
  prune(filters?: Filters, signal?: AbortSignal): Promise<{ VolumesDeleted: string[] | null; SpaceReclaimed: number }> {
    return this.#transport.json('POST', '/volumes/prune', { query: { filters: encodeFilters(filters) }, signal })
  }
}

const path = (name: string): string => `/volumes/${encodeURIComponent(name)}`
