import { type IncomingMessage, request, type RequestOptions } from 'node:http'
import { json, text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import type { Socket } from 'node:net'
import { patience } from './patience.ts'

export interface EngineAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: IncomingMessage
}

export interface RequestExtras {
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

const inTime = (): AbortSignal => AbortSignal.timeout(patience(60_000))

/** Plain HTTP to an engine: nothing between the test and the wire. `host` is `unix:///path` or `tcp://host:port`. */
export class EngineApi {
  readonly host: string
  readonly #address: RequestOptions

  constructor(host: string) {
    this.host = host
    const url = new URL(host)
    this.#address = url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port }
  }

  /** One request on a connection of its own; objects are sent as JSON. The body is left to the caller. */
  open(
    method: string,
    path: string,
    body?: object | Buffer | Readable,
    extras: RequestExtras = {},
  ): Promise<EngineAnswer> {
    const { promise, resolve, reject } = Promise.withResolvers<EngineAnswer>()
    const isJson = body !== undefined && !Buffer.isBuffer(body) && !('pipe' in body)
    // An engine that refuses before it has read all would close the connection, and a write that fails loses the answer.
    const stays = body !== undefined && 'pipe' in body ? { Connection: 'keep-alive' } : {}
    const headers = { ...(isJson ? { 'Content-Type': 'application/json' } : {}), ...stays, ...extras.headers }
    const options = { ...this.#address, method, path, headers, agent: false, signal: extras.signal }
    const outgoing = request(options, (incoming) => {
      resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming })
    })
    outgoing.on('error', reject)
    if (body !== undefined && 'pipe' in body) body.pipe(outgoing)
    else outgoing.end(isJson ? JSON.stringify(body) : body)
    return promise
  }

  /** Status and the whole body as text; fails after a minute unless `extras` has its own signal. */
  async request(
    method: string,
    path: string,
    body?: object | Buffer | Readable,
    extras?: RequestExtras,
  ): Promise<{ status: number; headers: IncomingMessage['headers']; text: string }> {
    const answer = await this.open(method, path, body, { signal: inTime(), ...extras })
    return { status: answer.status, headers: answer.headers, text: await text(answer.body) }
  }

  /** The body of a request that must succeed; throws the engine's message otherwise. */
  async json(method: string, path: string, body?: object | Buffer | Readable): Promise<unknown> {
    const answer = await this.open(method, path, body, { signal: inTime() })
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${await text(answer.body)}`)
    if (answer.status === 204) return void answer.body.resume()
    return json(answer.body)
  }

  /** A hijacked connection: the socket after the 101. */
  async hijack(
    method: string,
    path: string,
    body?: object,
  ): Promise<{ socket: Socket; headers: IncomingMessage['headers'] }> {
    const { promise, resolve, reject } = Promise.withResolvers<{
      socket: Socket
      headers: IncomingMessage['headers']
    }>()
    const headers = { Connection: 'Upgrade', Upgrade: 'tcp', ...(body ? { 'Content-Type': 'application/json' } : {}) }
    const outgoing = request({ ...this.#address, method, path, headers, agent: false })
    outgoing.on('upgrade', (incoming, socket, head) => {
      if (head.length > 0) socket.unshift(head)
      resolve({ socket: socket as Socket, headers: incoming.headers })
    })
    outgoing.on('response', (incoming) => {
      void text(incoming).then(
        (message) => reject(new Error(`${method} ${path}: ${incoming.statusCode} ${message}`)),
        reject,
      )
    })
    outgoing.on('error', reject)
    outgoing.end(body ? JSON.stringify(body) : undefined)
    return promise
  }

  async ping(): Promise<boolean> {
    try {
      return (
        (await this.request('GET', '/_ping', undefined, { signal: AbortSignal.timeout(patience(5000)) })).status === 200
      )
    } catch {
      return false
    }
  }
}

/** The payloads of a multiplexed stream by stream number; throws on a torn frame. */
export function demultiplex(bytes: Buffer): { stdout: string; stderr: string } {
  const parts: [Buffer[], Buffer[], Buffer[]] = [[], [], []]
  let at = 0
  while (at < bytes.length) {
    const stream = bytes[at]
    const size = at + 8 <= bytes.length ? bytes.readUInt32BE(at + 4) : Infinity
    if (at + 8 + size > bytes.length || (stream !== 0 && stream !== 1 && stream !== 2))
      throw new Error(`torn frame at ${at}`)
    parts[stream].push(bytes.subarray(at + 8, at + 8 + size))
    at += 8 + size
  }
  const joined = (stream: 1 | 2): string => Buffer.concat(parts[stream]).toString()
  return { stdout: joined(1), stderr: joined(2) }
}
