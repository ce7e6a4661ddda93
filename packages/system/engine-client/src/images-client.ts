import type {
  CommitResponse,
  ImageDeleteResponseItem,
  ImageHistoryResponseItem,
  ImageInspectResponse,
  ImagesPruneResponse,
  ImageSummary,
  ProgressMessage,
} from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import { readJsonLines } from './lines.ts'
import type { EngineResponse, Query, Transport } from './transport.ts'
import { authHeader } from './registry-client.ts'

export interface ImageListOptions {
  readonly all?: boolean
  readonly filters?: Filters
  readonly sharedSize?: boolean
  /** With the platforms of those that have several. */
  readonly manifests?: boolean
}
export interface ImportOptions {
  /** `-`: the stream; else a URL for the engine to fetch. */
  readonly source: string
  readonly repository?: string
  readonly tag?: string
  readonly message?: string
  readonly changes?: readonly string[]
  readonly platform?: string
}
export interface CommitOptions {
  readonly container: string
  readonly repository?: string
  readonly tag?: string
  readonly comment?: string
  readonly author?: string
  readonly changes?: readonly string[]
  readonly pause?: boolean
}

export type BuildMessage = ProgressMessage & { readonly aux?: { readonly ID?: string } }

/** `/images` and `/commit`. Names may be ids or their prefixes. */
export class ImagesClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list({ filters, all, sharedSize, manifests }: ImageListOptions = {}): Promise<ImageSummary[]> {
    const query = { all, 'shared-size': sharedSize, manifests, filters: encodeFilters(filters) }
    return this.#transport.json('GET', '/images/json', { query })
  }

  inspect(name: string): Promise<ImageInspectResponse> {
    return this.#transport.json('GET', path(name, 'json'))
  }

  /** As `inspect`, the bytes as the engine sent them. */
  async inspectText(name: string, platform?: string): Promise<string> {
    return (await this.#transport.request('GET', path(name, 'json'), { query: { platform } })).text()
  }

  history(name: string, platform?: string): Promise<ImageHistoryResponseItem[]> {
    return this.#transport.json('GET', path(name, 'history'), { query: { platform } })
  }

  async tag(name: string, repository: string, tag: string): Promise<void> {
    await this.#transport.send('POST', path(name, 'tag'), { query: { repo: repository, tag } })
  }

  remove(
    name: string,
    query: { force?: boolean; noprune?: boolean; platforms?: string[] } = {},
  ): Promise<ImageDeleteResponseItem[]> {
    return this.#transport.json('DELETE', path(name), { query })
  }

  prune(filters?: Filters): Promise<ImagesPruneResponse> {
    return this.#transport.json('POST', '/images/prune', { query: { filters: encodeFilters(filters) } })
  }

  /** Loads a tar archive; yields the engine's progress, the last words of which name the images. */
  async *load(
    stream: AsyncIterable<Uint8Array>,
    query: { quiet?: boolean; platform?: string } = {},
  ): AsyncGenerator<ProgressMessage, void> {
    const headers = { 'Content-Type': 'application/x-tar' }
    const response = await this.#transport.request('POST', '/images/load', { query, headers, stream })
    yield* readJsonLines<ProgressMessage>(response.body)
  }

  /** A tar archive of the images. */
  save(names: readonly string[], platform?: string): Promise<EngineResponse> {
    return this.#transport.request('GET', '/images/get', { query: { names, platform } })
  }

  async *import(options: ImportOptions, stream?: AsyncIterable<Uint8Array>): AsyncGenerator<ProgressMessage, void> {
    const { source, repository, ...rest } = options
    const query = { fromSrc: source, repo: repository, ...rest }
    const headers: Record<string, string> = stream === undefined ? {} : { 'Content-Type': 'text/plain' }
    const response = await this.#transport.request('POST', '/images/create', { query, headers, stream })
    yield* readJsonLines<ProgressMessage>(response.body)
  }

  /** Without a tag, all of the name's. `auth`: the value of `X-Registry-Auth`. */
  async *pull(
    name: string,
    { auth, ...query }: { tag?: string; platform?: string; auth?: string } = {},
  ): AsyncGenerator<ProgressMessage, void> {
    const options = { query: { fromImage: name, ...query }, headers: authHeader(auth) }
    const response = await this.#transport.request('POST', '/images/create', options)
    yield* readJsonLines<ProgressMessage>(response.body)
  }

  /** Without a tag, all of the name's. `platform` is JSON: `{"os":"linux","architecture":"arm64"}`. */
  async *push(
    name: string,
    { auth, ...query }: { tag?: string; platform?: string; auth?: string } = {},
  ): AsyncGenerator<ProgressMessage, void> {
    // Engines refuse a push without the header.
    const options = { query, headers: { 'X-Registry-Auth': '', ...authHeader(auth) } }
    const response = await this.#transport.request('POST', path(name, 'push'), options)
    yield* readJsonLines<ProgressMessage>(response.body)
  }

  /**
   * Builds from a tar archive, or from what the engine fetches; yields its progress, `aux.ID` being the image. `auth`: the
   * value of `X-Registry-Config`, for the images that it begins with.
   */
  async *build(query: Query, stream?: AsyncIterable<Uint8Array>, auth?: string): AsyncGenerator<BuildMessage, void> {
    const type: Record<string, string> = stream === undefined ? {} : { 'Content-Type': 'application/x-tar' }
    const headers = { ...type, ...(auth !== undefined && { 'X-Registry-Config': auth }) }
    const response = await this.#transport.request('POST', '/build', { query, headers, stream })
    yield* readJsonLines<BuildMessage>(response.body)
  }

  commit({ repository, ...query }: CommitOptions): Promise<CommitResponse> {
    return this.#transport.json('POST', '/commit', { query: { repo: repository, ...query }, json: {} })
  }
}

/** Image names keep their slashes. */
function path(name: string, action?: string): string {
  const encoded = name.split('/').map(encodeURIComponent).join('/')
  return `/images/${encoded}${action === undefined ? '' : `/${action}`}`
}
