import type { AuthConfig, AuthResponse, DistributionResponse, SearchResultResponse } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import type { Transport } from './transport.ts'

/** What an engine asks of registries. `auth` is the value of `X-Registry-Auth`, as `encodeAuthConfig` makes it. */
export class RegistryClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Rejects with `ApiError` 401 when the registry does not take the credentials. */
  login(auth: AuthConfig): Promise<AuthResponse> {
    return this.#transport.json('POST', '/auth', { json: auth })
  }

  distribution(name: string, auth?: string): Promise<DistributionResponse> {
    const path = name.split('/').map(encodeURIComponent).join('/')
    return this.#transport.json('GET', `/distribution/${path}/json`, { headers: authHeader(auth) })
  }

  search(
    term: string,
    { limit, filters, auth }: { readonly limit?: number; readonly filters?: Filters; readonly auth?: string } = {},
  ): Promise<SearchResultResponse[]> {
    const query = { term, limit, filters: encodeFilters(filters) }
    return this.#transport.json('GET', '/images/search', { query, headers: authHeader(auth) })
  }
}

export const authHeader = (auth: string | undefined): Record<string, string> =>
  auth === undefined ? {} : { 'X-Registry-Auth': auth }
