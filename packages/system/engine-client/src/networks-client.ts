import type { EndpointSettings, NetworkResponse } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import type { Transport } from './transport.ts'

/** One subnet of a network to be made. */
export interface SubnetRequest {
  readonly Subnet: string
  readonly IPRange?: string
  readonly Gateway?: string
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>>
}

/** The body of a create: what is left out takes the engine's default. */
export interface NetworkCreateBody {
  readonly Name: string
  readonly Driver?: string
  readonly Scope?: string
  readonly EnableIPv4?: boolean
  readonly EnableIPv6?: boolean
  readonly IPAM?: {
    readonly Driver: string
    readonly Config: readonly SubnetRequest[]
    readonly Options: Readonly<Record<string, string>>
  }
  readonly Internal?: boolean
  readonly Attachable?: boolean
  readonly Ingress?: boolean
  readonly ConfigOnly?: boolean
  readonly ConfigFrom?: { readonly Network: string } | null
  readonly Options?: Readonly<Record<string, string>>
  readonly Labels?: Readonly<Record<string, string>>
}

export interface NetworkCreateResponse {
  readonly Id: string
  readonly Warning: string
}

/** `/networks`. Names are names, ids or prefixes of ids. */
export class NetworksClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list(filters?: Filters, signal?: AbortSignal): Promise<NetworkResponse[]> {
    return this.#transport.json('GET', '/networks', { query: { filters: encodeFilters(filters) }, signal })
  }

  create(body: NetworkCreateBody, signal?: AbortSignal): Promise<NetworkCreateResponse> {
    return this.#transport.json('POST', '/networks/create', { json: body, signal })
  }

  inspect(name: string, query: { verbose?: boolean } = {}, signal?: AbortSignal): Promise<NetworkResponse> {
    return this.#transport.json('GET', path(name), { query, signal })
  }

  /** As `inspect`, the bytes as the engine sent them. */
  async inspectText(name: string, query: { verbose?: boolean } = {}, signal?: AbortSignal): Promise<string> {
    return (await this.#transport.request('GET', path(name), { query, signal })).text()
  }

  async connect(
    name: string,
    container: string,
    { endpoint, signal }: { endpoint?: Partial<EndpointSettings>; signal?: AbortSignal } = {},
  ): Promise<void> {
    const json = { Container: container, ...(endpoint === undefined ? {} : { EndpointConfig: endpoint }) }
    await this.#transport.send('POST', path(name, 'connect'), { json, signal })
  }

  async disconnect(
    name: string,
    container: string,
    { force = false, signal }: { force?: boolean; signal?: AbortSignal } = {},
  ): Promise<void> {
    const json = { Container: container, Force: force }
    await this.#transport.send('POST', path(name, 'disconnect'), { json, signal })
  }

  async remove(name: string, signal?: AbortSignal): Promise<void> {
    await this.#transport.send('DELETE', path(name), { signal })
  }

  /** The names of the networks that were removed. */
  async prune(filters?: Filters, signal?: AbortSignal): Promise<string[]> {
    const options = { query: { filters: encodeFilters(filters) }, signal }
    const answer = await this.#transport.json<{ NetworksDeleted: string[] | null }>('POST', '/networks/prune', options)
    return answer.NetworksDeleted ?? []
  }
}

function path(name: string, action?: string): string {
  return `/networks/${encodeURIComponent(name)}${action === undefined ? '' : `/${action}`}`
}
