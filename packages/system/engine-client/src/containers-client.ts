import type {
  ContainerChangeResponse,
  ContainerConfig,
  ContainerCreateResponse,
  ContainerInspectResponse,
  ContainersPruneResponse,
  ContainerStatsResponse,
  ContainerSummary,
  ContainerTopResponse,
  ContainerUpdateResponse,
  ContainerWaitResponse,
  EndpointSettings,
  HostConfig,
  Resources,
  RestartPolicy,
} from '@berth/engine-api'
import { encodeFilters, type Filters } from './filters.ts'
import { readJsonLines } from './lines.ts'
import { type PathStatus, pathStatus } from './path-status.ts'
import type { EngineResponse, HijackedConnection, Transport } from './transport.ts'

/** The body of a create: what is left out takes the engine's default. */
export type ContainerCreateBody = Partial<Omit<ContainerConfig, 'Env'>> & {
  Env?: string[] | null
  HostConfig?: Partial<HostConfig>
  NetworkingConfig?: { EndpointsConfig: Record<string, Partial<EndpointSettings>> }
}

export interface ContainerListOptions {
  readonly all?: boolean
  readonly limit?: number
  readonly size?: boolean
  readonly filters?: Filters
}
export interface AttachOptions {
  readonly stdin?: boolean
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly logs?: boolean
  readonly detachKeys?: string
}
export interface LogsOptions {
  readonly stdout?: boolean
  readonly stderr?: boolean
  readonly follow?: boolean
  readonly timestamps?: boolean
  readonly details?: boolean
  readonly since?: string
  readonly until?: string
  readonly tail?: string
}
export interface StopOptions {
  readonly signal?: string
  /** Seconds. */
  readonly timeout?: number
}
export type WaitCondition = 'not-running' | 'next-exit' | 'removed'
export type UpdateBody = Partial<Resources> & { RestartPolicy?: RestartPolicy }

/** A wait that the engine has taken note of, and its end. */
export interface PendingWait {
  readonly result: Promise<ContainerWaitResponse>
}

export interface WriteArchive {
  readonly stream: AsyncIterable<Uint8Array>
  readonly copyUIDGID?: boolean
  readonly signal?: AbortSignal
}

/** `/containers`. Ids are names, ids or their prefixes. */
export class ContainersClient {
  readonly #transport: Transport

  constructor(transport: Transport) {
    this.#transport = transport
  }

  list({ filters, ...query }: ContainerListOptions = {}): Promise<ContainerSummary[]> {
    return this.#transport.json('GET', '/containers/json', { query: { ...query, filters: encodeFilters(filters) } })
  }

  create(
    body: ContainerCreateBody,
    query: { name?: string; platform?: string } = {},
  ): Promise<ContainerCreateResponse> {
    return this.#transport.json('POST', '/containers/create', { query, json: body })
  }

  inspect(id: string, query: { size?: boolean } = {}): Promise<ContainerInspectResponse> {
    return this.#transport.json('GET', path(id, 'json'), { query })
  }

  /** As `inspect`, the bytes as the engine sent them. */
  async inspectText(id: string, query: { size?: boolean } = {}): Promise<string> {
    return (await this.#transport.request('GET', path(id, 'json'), { query })).text()
  }

  async start(id: string, detachKeys?: string): Promise<void> {
    await this.#transport.send('POST', path(id, 'start'), { query: { detachKeys } })
  }

  async stop(id: string, { signal, timeout }: StopOptions = {}): Promise<void> {
    await this.#transport.send('POST', path(id, 'stop'), { query: { signal, t: timeout } })
  }

  async restart(id: string, { signal, timeout }: StopOptions = {}): Promise<void> {
    await this.#transport.send('POST', path(id, 'restart'), { query: { signal, t: timeout } })
  }

  async kill(id: string, signal?: string): Promise<void> {
    await this.#transport.send('POST', path(id, 'kill'), { query: { signal } })
  }

  async pause(id: string): Promise<void> {
    await this.#transport.send('POST', path(id, 'pause'))
  }

  async unpause(id: string): Promise<void> {
    await this.#transport.send('POST', path(id, 'unpause'))
  }

  async rename(id: string, name: string): Promise<void> {
    await this.#transport.send('POST', path(id, 'rename'), { query: { name } })
  }

  update(id: string, body: UpdateBody): Promise<ContainerUpdateResponse> {
    return this.#transport.json('POST', path(id, 'update'), { json: body })
  }

  async resize(id: string, size: { height: number; width: number }): Promise<void> {
    await this.#transport.send('POST', path(id, 'resize'), { query: { h: size.height, w: size.width } })
  }

  async remove(id: string, query: { force?: boolean; v?: boolean; link?: boolean } = {}): Promise<void> {
    await this.#transport.send('DELETE', path(id), { query })
  }

  /** Resolves once the engine waits; `result` then resolves at the container's end. */
  async wait(id: string, condition?: WaitCondition, signal?: AbortSignal): Promise<PendingWait> {
    const response = await this.#transport.request('POST', path(id, 'wait'), { query: { condition }, signal })
    const result = response.json() as Promise<ContainerWaitResponse>
    // Whoever started the wait may be gone before it ends.
    result.catch(() => undefined)
    return { result }
  }

  attach(id: string, options: AttachOptions): Promise<HijackedConnection> {
    return this.#transport.hijack(path(id, 'attach'), { query: { ...options, stream: true } })
  }

  logs(id: string, options: LogsOptions, signal?: AbortSignal): Promise<EngineResponse> {
    return this.#transport.request('GET', path(id, 'logs'), { query: { ...options }, signal })
  }

  top(id: string, psArgs: string): Promise<ContainerTopResponse> {
    return this.#transport.json('GET', path(id, 'top'), { query: { ps_args: psArgs === '' ? undefined : psArgs } })
  }

  /** One document, or with `stream` one a second. */
  async *stats(id: string, stream: boolean, signal?: AbortSignal): AsyncGenerator<ContainerStatsResponse, void> {
    const response = await this.#transport.request('GET', path(id, 'stats'), { query: { stream }, signal })
    yield* readJsonLines<ContainerStatsResponse>(response.body)
  }

  changes(id: string): Promise<ContainerChangeResponse[] | null> {
    return this.#transport.json('GET', path(id, 'changes'))
  }

  /** A tar archive of the container's files. */
  export(id: string): Promise<EngineResponse> {
    return this.#transport.request('GET', path(id, 'export'))
  }

  /** Rejects with 404 where there is no such file. */
  async statPath(id: string, file: string): Promise<PathStatus> {
    return pathStatus(await this.#transport.request('HEAD', path(id, 'archive'), { query: { path: file } }))
  }

  /** A tar of a file or directory of the container. */
  async readArchive(
    id: string,
    file: string,
  ): Promise<{ readonly status: PathStatus; readonly body: AsyncGenerator<Buffer, void> }> {
    const response = await this.#transport.request('GET', path(id, 'archive'), { query: { path: file } })
    return { status: pathStatus(response), body: response.body }
  }

  /** Unpacks a tar in a directory of the container. */
  async writeArchive(id: string, directory: string, { stream, signal, copyUIDGID }: WriteArchive): Promise<void> {
    const query = { path: directory, noOverwriteDirNonDir: true, copyUIDGID: copyUIDGID || undefined }
    const headers = { 'Content-Type': 'application/x-tar' }
    await this.#transport.send('PUT', path(id, 'archive'), { query, headers, stream, signal })
  }

  prune(filters?: Filters): Promise<ContainersPruneResponse> {
    return this.#transport.json('POST', '/containers/prune', { query: { filters: encodeFilters(filters) } })
  }
}

function path(id: string, action?: string): string {
  return `/containers/${encodeURIComponent(id)}${action === undefined ? '' : `/${action}`}`
}
