import { internal, unavailable } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { basicHeader, hasPassword } from './auth/credentials.ts'
import type { Endpoint } from './endpoints.ts'
import { printable } from './errors.ts'
import { searchPath, UnreachedError } from './http/connection-error.ts'
import { readDocument } from './http/read-limited.ts'
import { type Answer, drop, type Transport } from './http/transport.ts'
import type { Timeouts } from './settings.ts'

export interface SearchQuery {
  readonly term: string
  /** Results at most, 1 to 100. */
  readonly limit: number
}

export interface SearchResult {
  readonly name: string
  readonly description: string
  readonly star_count: number
  readonly is_official: boolean
  readonly is_automated: boolean
}

interface Means {
  readonly auth: AuthConfig
  readonly transport: Transport
  readonly timeouts: Timeouts
}

const maxBytes = 4 * 1024 * 1024

/** The search of registries' first protocol, which Docker Hub still has. */
export async function search(
  endpoints: readonly Endpoint[],
  query: SearchQuery,
  means: Means,
): Promise<SearchResult[]> {
  for (const endpoint of endpoints) {
    try {
      return await searchAt(endpoint, query, means)
    } catch (error) {
      if (!(error instanceof UnreachedError) || endpoint === endpoints.at(-1)) throw error
    }
  }
  throw unavailable('no registry to search')
}

async function searchAt(endpoint: Endpoint, { term, limit }: SearchQuery, means: Means): Promise<SearchResult[]> {
  const url = new URL(`${endpoint.base}${searchPath}`)
  url.search = `q=${encodeURIComponent(term)}&n=${limit}`
  const headers: Record<string, string> = hasPassword(means.auth) ? { Authorization: basicHeader(means.auth) } : {}
  const answer = await means.transport.send({ method: 'GET', url, headers, verifiesTls: endpoint.verifiesTls })
  if (answer.status !== 200) {
    await drop(answer)
    throw internal(`Unexpected status code ${answer.status}`)
  }
  return decodeResults(
    answer,
    await readDocument(answer, { maxBytes, timeoutMs: means.timeouts.documentMs, what: 'the results' }),
  )
}

function decodeResults({ url }: Answer, bytes: Buffer): SearchResult[] {
  const results = listOf(bytes)
  if (!results) throw unavailable(`${url.host} answered a search with something else than results`)
  return results.flatMap((one) => {
    if (typeof one !== 'object' || one === null) return []
    const { name, description, star_count: stars, is_official } = one as Record<string, unknown>
    if (typeof name !== 'string') return []
    return [
      {
        star_count: typeof stars === 'number' ? stars : 0,
        is_official: is_official === true,
        name: printable(name),
        // Registries have no such builds any more; Docker says so of all.
        is_automated: false,
        description: typeof description === 'string' ? printable(description) : '',
      },
    ]
  })
}

function listOf(bytes: Buffer): unknown[] | undefined {
  try {
    const { results } = JSON.parse(bytes.toString()) as { results?: unknown }
    return Array.isArray(results) ? results : undefined
  } catch {
    return undefined
  }
}
