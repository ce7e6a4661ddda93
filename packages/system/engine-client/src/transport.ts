import type { Duplex } from 'node:stream'
import type { Channel } from './channel.ts'
import { connect, Connection, openChannel, type TlsOptions } from './connection.ts'
import type { Endpoint } from './endpoint.ts'
import { ApiError } from './errors.ts'
import { isReusable, readBody, readHead, type ResponseHead } from './http.ts'

/** The newest version of the Engine API that this client speaks. */
export const newestApiVersion = '1.51'

export type QueryValue = string | number | boolean | readonly string[] | undefined
export type Query = Readonly<Record<string, QueryValue>>

export interface RequestOptions {
  readonly query?: Query
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly json?: unknown
  /** Sent chunked. */
  readonly stream?: AsyncIterable<Uint8Array>
  /** Aborting breaks the connection. */
  readonly signal?: AbortSignal
}

/** A response whose body is read once: by `body`, `text` or `json`. */
export interface EngineResponse extends ResponseHead {
  readonly body: AsyncGenerator<Buffer, void>
  text(): Promise<string>
  json(): Promise<unknown>
}

/** A connection that the engine has handed over: raw bytes both ways. */
export interface HijackedConnection {
  /** `application/vnd.docker.multiplexed-stream` or `...raw-stream`; empty from old engines. */
  readonly contentType: string
  /** Ends when the engine closes its side. */
  read(): Promise<Buffer | undefined>
  write(data: Uint8Array): Promise<void>
  /** Ends our side; the engine's output goes on. */
  closeWrite(): void
  destroy(): void
}

export interface TransportOptions {
  readonly endpoint: Endpoint
  readonly tls?: TlsOptions
  /** Fixes the version of the API (`1.44`); without it the newest that both sides know. */
  readonly apiVersion?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Aborting it breaks every request. */
  readonly signal?: AbortSignal
}

/** HTTP/1.1 requests to one engine over reused connections. */
export class Transport {
  readonly endpoint: Endpoint
  readonly #options: TransportOptions
  readonly #idle: Channel[]
  #version: string
  #negotiated: boolean

  constructor(options: TransportOptions, idle: Channel[] = []) {
    this.#idle = idle
    this.endpoint = options.endpoint
    this.#options = options
    this.#version = options.apiVersion ?? newestApiVersion
    this.#negotiated = options.apiVersion !== undefined
  }

  /** Requests of the same kind over the same connections, all of which the signal ends. */
  withSignal(signal: AbortSignal): Transport {
    const negotiated = this.#negotiated ? this.#version : undefined
    const options = { ...this.#options, signal: anyOf(this.#options.signal, signal) }
    return new Transport({ ...options, apiVersion: options.apiVersion ?? negotiated }, this.#idle)
  }

  /** The version in use; until an older engine has answered, the newest that we know. */
  get apiVersion(): string {
    return this.#version
  }

  /** Sends a request to a path without its version prefix. Rejects with `ApiError` for a status from 400 on. */
  async request(method: string, path: string, options: RequestOptions = {}): Promise<EngineResponse> {
    // A streamed body cannot be sent twice: ask for the version first.
    if (options.stream !== undefined) await this.negotiate()
    const response = await this.#send(method, path, options)
    if (!isFailure(response)) return response
    const error = await errorOf(response)
    if (this.#negotiated || error.status !== 400 || !error.message.includes('is too new')) throw error
    await this.negotiate()
    return checked(await this.#send(method, path, options))
  }

  /** As `request`, for a body of JSON. */
  async json<T>(method: string, path: string, options: RequestOptions = {}): Promise<T> {
    return (await (await this.request(method, path, options)).json()) as T
  }

  /** As `request`, for an answer without a body worth reading. */
  async send(method: string, path: string, options: RequestOptions = {}): Promise<number> {
    const response = await this.request(method, path, options)
    await response.text()
    return response.status
  }

  /** A POST that turns the connection into a raw stream. Rejects with `ApiError` if the engine refuses. */
  async hijack(path: string, options: RequestOptions = {}): Promise<HijackedConnection> {
    if (!this.#negotiated && this.#version === newestApiVersion) return this.#hijack(path, options, true)
    return this.#hijack(path, options, false)
  }

  /** A bare connection to the engine, for whoever speaks HTTP himself. */
  async dial(signal?: AbortSignal): Promise<HijackedConnection> {
    const connection = await this.#connection(signal)
    return hijacked(connection, { status: 101, headers: new Map() })
  }

  /**
   * A POST to an unversioned path that turns the connection into one of another protocol, which the caller owns. A list of
   * values is a header for each. Rejects with `ApiError` if the engine refuses.
   */
  async upgrade(
    path: string,
    protocol: string,
    headers: Readonly<Record<string, string | readonly string[]>> = {},
  ): Promise<Duplex> {
    const connection = await this.#connection(undefined)
    const lines = Object.entries({ ...headers, Connection: 'Upgrade', Upgrade: protocol }).flatMap(([name, values]) =>
      [values].flat().flatMap((value) => headerLines({ [name]: value })),
    )
    await connection.write(this.#head('POST', path, {}, lines))
    const head = await readHead(connection)
    if (head.status === 101) return connection.release()
    throw await errorOf(this.#response(connection, head))
  }

  /** Agrees on the version of the API: the newest that both sides know. */
  async negotiate(): Promise<void> {
    if (this.#negotiated) return
    const response = await checked(await this.#exchange('GET', '/_ping', {}))
    await response.text()
    const theirs = response.headers.get('api-version')
    if (theirs !== undefined && isOlder(theirs, this.#version)) this.#version = theirs
    this.#negotiated = true
  }

  /** Closes the connections that wait for another request. */
  close(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy()
  }

  async #hijack(path: string, options: RequestOptions, mayRetry: boolean): Promise<HijackedConnection> {
    const headers = { ...options.headers, Connection: 'Upgrade', Upgrade: 'tcp' }
    const connection = await this.#connection(options.signal)
    await connection.write(this.#head('POST', this.#versioned(path), { ...options, headers }))
    const head = await readHead(connection)
    if (!isFailure(head)) return hijacked(connection, head)
    const error = await errorOf(this.#response(connection, head))
    if (!mayRetry || error.status !== 400 || !error.message.includes('is too new')) throw error
    await this.negotiate()
    return this.#hijack(path, options, false)
  }

  #send(method: string, path: string, options: RequestOptions): Promise<EngineResponse> {
    return this.#exchange(method, this.#versioned(path), options)
  }

  #versioned(path: string): string {
    return `/v${this.#version}${path}`
  }

  async #exchange(method: string, target: string, options: RequestOptions): Promise<EngineResponse> {
    const { stream, signal } = options
    if (stream !== undefined) return this.#sendStream(this.#head(method, target, options), stream, signal)
    const channel = await this.#open(signal, openChannel, (_idle): _idle is Channel => true)
    await channel.write(this.#head(method, target, options))
    const head = await readHead(channel)
    return this.#response(channel, method === 'HEAD' ? withoutBody(head) : head)
  }

  async #sendStream(
    head: string,
    stream: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<EngineResponse> {
    const connection = await this.#connection(signal)
    await connection.write(head)
    // The engine may refuse before it has read everything: then its answer counts, not the broken pipe.
    const answer = await Promise.race([readHead(connection), brokenSource(connection, stream)])
    return this.#response(connection, answer)
  }

  /** One that can be more than HTTP. */
  #connection(signal: AbortSignal | undefined): Promise<Connection> {
    return this.#open(signal, connect, (idle): idle is Connection => idle instanceof Connection)
  }

  async #open<T extends Channel>(
    signal: AbortSignal | undefined,
    open: (endpoint: Endpoint, tls: TlsOptions | undefined) => Promise<T>,
    isFit: (idle: Channel) => idle is T,
  ): Promise<T> {
    const ending = anyOf(this.#options.signal, signal)
    ending?.throwIfAborted()
    const channel = this.#reuse(isFit) ?? (await open(this.#options.endpoint, this.#options.tls))
    if (ending !== undefined) channel.breakOn(ending)
    return channel
  }

  #reuse<T extends Channel>(isFit: (idle: Channel) => idle is T): T | undefined {
    for (let at = this.#idle.length - 1; at >= 0; at--) {
      const idle = this.#idle[at]
      if (idle === undefined || !isFit(idle)) continue
      this.#idle.splice(at, 1)
      if (idle.usable) return idle
      idle.destroy()
    }
    return undefined
  }

  #head(method: string, target: string, options: RequestOptions, more: readonly string[] = []): string {
    const { endpoint } = this
    const body = options.json === undefined ? undefined : JSON.stringify(options.json)
    const prefix = endpoint.kind === 'tcp' ? endpoint.basePath : ''
    const lines = [
      `${method} ${prefix}${target}${encodeQuery(options.query)} HTTP/1.1`,
      `Host: ${endpoint.kind === 'tcp' ? `${endpoint.host}:${endpoint.port}` : 'api.berth.localhost'}`,
      'User-Agent: Berth-Client',
      ...headerLines({ ...this.#options.headers, ...options.headers }),
      ...more,
    ]
    if (body !== undefined) lines.push('Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`)
    else if (options.stream !== undefined) lines.push('Transfer-Encoding: chunked')
    else if (method !== 'GET' && method !== 'HEAD') lines.push('Content-Length: 0')
    return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
  }

  #response(connection: Channel, head: ResponseHead): EngineResponse {
    const body = this.#released(connection, head)
    return { ...head, body, text: () => readText(body), json: async () => JSON.parse(await readText(body)) as unknown }
  }

  /** The body; afterwards the connection is kept for the next request, or closed if the body was left unread. */
  async *#released(connection: Channel, head: ResponseHead): AsyncGenerator<Buffer, void> {
    let complete = false
    try {
      yield* readBody(connection, head)
      complete = true
    } finally {
      connection.breakOn(undefined)
      if (complete && isReusable(head) && connection.usable) this.#idle.push(connection)
      else connection.destroy()
    }
  }
}

function anyOf(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a === undefined || b === undefined ? (a ?? b) : AbortSignal.any([a, b])
}

function hijacked(connection: Connection, head: ResponseHead): HijackedConnection {
  return {
    contentType: head.headers.get('content-type') ?? '',
    read: () => connection.read(),
    write: (data) => connection.write(data),
    closeWrite: () => void connection.socket.end(),
    destroy: () => connection.destroy(),
  }
}

/** The answer to a HEAD tells of a body that does not come (RFC 9110, 9.3.2). */
function withoutBody(head: ResponseHead): ResponseHead {
  const headers = new Map(head.headers).set('content-length', '0')
  headers.delete('transfer-encoding')
  return { ...head, headers }
}

/** Sends a body; rejects, and only then settles, when its source fails: the request cannot be completed. */
function brokenSource(connection: Connection, stream: AsyncIterable<Uint8Array>): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  // Whoever has its answer already no longer looks.
  promise.catch(() => undefined)
  async function* watched(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream
    } catch (error) {
      reject(error)
      connection.destroy()
      throw error
    }
  }
  sendChunked(connection, watched()).catch(() => undefined)
  return promise
}

async function sendChunked(connection: Connection, stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) {
    if (chunk.length === 0) continue
    connection.socket.cork()
    connection.socket.write(`${chunk.length.toString(16)}\r\n`)
    connection.socket.write(chunk)
    connection.socket.uncork()
    await connection.write('\r\n')
  }
  await connection.write('0\r\n\r\n')
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of body) chunks.push(chunk)
  return (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)).toString()
}

async function checked(response: EngineResponse): Promise<EngineResponse> {
  if (isFailure(response)) throw await errorOf(response)
  return response
}

/** A redirection too: the engine's API has none, but a path that needs cleaning is answered by one. */
function isFailure({ status }: ResponseHead): boolean {
  return status >= 300 && status !== 304
}

async function errorOf(response: EngineResponse): Promise<ApiError> {
  const text = await response.text()
  return new ApiError(response.status, messageIn(text) ?? `request returned ${response.status} with an unknown body`)
}

function messageIn(text: string): string | undefined {
  try {
    const { message } = JSON.parse(text) as { message?: unknown }
    return typeof message === 'string' ? message.trim() : undefined
  } catch {
    return text.trim() === '' ? undefined : text.trim()
  }
}

function headerLines(headers: Readonly<Record<string, string>>): string[] {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, ' ')}`)
}

/** `?a=1&b=2`, or nothing; undefined values are left out, lists repeat the name, booleans are 1 and 0. */
export function encodeQuery(query: Query | undefined): string {
  const parts: string[] = []
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? (value as readonly string[]) : [value]) {
      const text = typeof one === 'boolean' ? (one ? '1' : '0') : String(one)
      parts.push(`${name}=${encodeURIComponent(text)}`)
    }
  }
  return parts.length === 0 ? '' : `?${parts.join('&')}`
}

function isOlder(version: string, than: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [otherMajor = 0, otherMinor = 0] = than.split('.').map(Number)
  return major < otherMajor || (major === otherMajor && minor < otherMinor)
}
