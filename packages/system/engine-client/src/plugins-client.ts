import type { ProgressMessage } from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import { readJsonLines } from './lines.ts'
import type { Transport } from './transport.ts'

/** One plugin of the engine: the part of its description that lists show. */
export interface PluginSummary {
  readonly Id?: string
  readonly Name: string
  readonly Enabled: boolean
  readonly PluginReference?: string
  readonly Config: { readonly Description: string }
}

/** What a plugin wants to be allowed. */
export interface PluginPrivilege {
  readonly Name: string
  readonly Description: string
  readonly Value: readonly string[] | null
}

/** `/plugins`. */
export class PluginsClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list(filters?: Filters): Promise<PluginSummary[]> {
    return this.#transport.json('GET', '/plugins', { query: { filters: encodeFilters(filters) } })
  }

  inspect(name: string): Promise<PluginSummary> {
    return this.#transport.json('GET', path(name, 'json'))
  }

  /** As `inspect`, the bytes as the engine sent them. */
  async inspectText(name: string): Promise<string> {
    return (await this.#transport.request('GET', path(name, 'json'))).text()
  }

  async enable(name: string, timeoutS: number): Promise<void> {
    await this.#transport.send('POST', path(name, 'enable'), { query: { timeout: timeoutS } })
  }

  async disable(name: string, force: boolean): Promise<void> {
    await this.#transport.send('POST', path(name, 'disable'), { query: { force: force || undefined } })
  }

  async remove(name: string, force: boolean): Promise<void> {
    await this.#transport.send('DELETE', path(name), { query: { force: force || undefined } })
  }

  async set(name: string, settings: readonly string[]): Promise<void> {
    await this.#transport.send('POST', path(name, 'set'), { json: settings })
  }

  privileges(remote: string): Promise<PluginPrivilege[] | null> {
    return this.#transport.json('GET', '/plugins/privileges', { query: { remote } })
  }

  pull(name: string, remote: string, privileges: readonly PluginPrivilege[]): AsyncGenerator<ProgressMessage, void> {
    return this.#progress('/plugins/pull', { query: { name, remote }, json: privileges })
  }

  upgrade(name: string, remote: string, privileges: readonly PluginPrivilege[]): AsyncGenerator<ProgressMessage, void> {
    return this.#progress(path(name, 'upgrade'), { query: { remote }, json: privileges })
  }

  push(name: string): AsyncGenerator<ProgressMessage, void> {
    return this.#progress(path(name, 'push'), {})
  }

  /** Makes a plugin of a tar archive with `config.json` and `rootfs`. */
  async create(name: string, stream: AsyncIterable<Uint8Array>): Promise<void> {
    const headers = { 'Content-Type': 'application/x-tar' }
    await this.#transport.send('POST', '/plugins/create', { query: { name }, headers, stream })
  }

  async *#progress(
    target: string,
    options: Parameters<Transport['request']>[2],
  ): AsyncGenerator<ProgressMessage, void> {
    yield* readJsonLines<ProgressMessage>((await this.#transport.request('POST', target, options)).body)
  }
}

function path(name: string, action?: string): string {
  return `/plugins/${encodeURIComponent(name)}${action === undefined ? '' : `/${action}`}`
}
