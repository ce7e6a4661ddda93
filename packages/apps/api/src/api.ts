import { type BodyFraming, codeOf, type Logger } from '@berth/base'
import { newestVersion, parseVersion, versionText } from '@berth/engine-api'
import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { ServerOptions } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ApiDeps } from './deps.ts'
import { Exchange, type Outside } from './exchange.ts'
import { dropRest, leavableBody, leaveBodies, type LeftBody } from './left-bodies.ts'
import { listenOn, type ListenTarget, type TlsOptions } from './listen.ts'
import { readRest } from './body.ts'
import { sendEmpty, sendError, sendJson } from './respond.ts'
import { cleanedTarget, createRouter, parseTarget, type Router } from './router.ts'
import { allRoutes } from './routes/all.ts'

export interface Listener {
  /** Where it listens: a path, or host and port. */
  readonly address: AddressInfo | string | null
}

/** The Engine API on any number of sockets. */
export interface Api {
  listen(target: ListenTarget): Promise<Listener>
  /** Stops listening, ends what has no end, lets short requests finish for `graceMs`, then closes every connection. */
  close(graceMs?: number): Promise<void>
}

export function createApi(deps: ApiDeps): Api {
  return new ApiServer(deps)
}

/** What a slow or hostile client may take. Uploads and streams may last: there is no limit on a whole request. */
const limits = {
  headersTimeout: 30_000,
  requestTimeout: 0,
  keepAliveTimeout: 0,
  maxHeaderSize: 256 * 1024,
  connectionsCheckingInterval: 10_000,
}

class ApiServer implements Api {
  readonly #log: Logger
  readonly #router: Router
  readonly #headers: Readonly<Record<string, string>>
  readonly #servers: Server[] = []
  readonly #sockets = new Set<Duplex>()
  readonly #upgraded = new Set<Duplex>()
  readonly #closing = new AbortController()

  constructor(deps: ApiDeps) {
    this.#log = deps.log
    this.#router = createRouter(allRoutes(deps))
    this.#headers = {
      'Api-Version': versionText(newestVersion),
      'Docker-Experimental': String(deps.isExperimental),
      Ostype: 'linux',
      Server: `Berth/${deps.version} (linux)`,
    }
  }

  async listen(target: ListenTarget): Promise<Listener> {
    const server = await this.#createServer(target.kind === 'unix' ? undefined : target.tls)
    await listenOn(server, target, this.#log)
    this.#servers.push(server)
    return { address: server.address() }
  }

  async close(graceMs = 1000): Promise<void> {
    const closed = this.#servers.splice(0).map((server) => {
      return new Promise<void>((resolve) => server.close(() => resolve()))
    })
    this.#closing.abort()
    for (const socket of this.#upgraded) socket.destroy()
    const timer = setTimeout(() => this.#destroySockets(), graceMs)
    await Promise.all(closed)
    clearTimeout(timer)
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  async #createServer(tls: TlsOptions | undefined): Promise<Server> {
    const options = { ...limits, shouldUpgradeCallback: (request: IncomingMessage) => this.#upgrades(request) }
    const server = tls ? await createTlsServer({ ...options, ...tlsServerOptions(tls) }) : createServer(options)
    // A client may end its sending and still read: half of a connection is no reason to drop the other.
    Object.assign(server, { httpAllowHalfOpen: true })
    server.on('request', (request, response) => this.#start(request, response))
    server.on('upgrade', (request, socket, head) => {
      const framing = this.#leaves(request)
      if (framing) return this.#serveLeft(request, { socket: socket as Socket, head, framing })
      // At once: a client that has ended its side already would end an empty stream before anyone reads it.
      if (head.length > 0) socket.unshift(head)
      this.#serveOutside(request, socket as Socket, { upgraded: { socket } })
    })
    server.on('clientError', refuseMalformed)
    server.on('connection', (socket: Socket) => {
      track(this.#sockets, socket)
      leaveBodies(socket, (request) => this.#leaves(request) !== undefined)
    })
    if (tls) {
      server.on('secureConnection', (socket: Socket) => track(this.#sockets, socket))
      // A handshake that failed leaves nothing to read, and half a connection is one.
      server.on('tlsClientError', (_: Error, socket: Duplex) => void socket.destroy())
    }
    return server
  }

  /** Whether the connection leaves HTTP: only where a route does that, and to what the route speaks. */
  #upgrades(request: IncomingMessage): boolean {
    const { path } = parseTarget(request.url ?? '/')
    const kind = this.#router.find(request.method ?? 'GET', path)?.route.upgradesTo
    if (kind === undefined) return false
    const wanted = request.headers.upgrade?.toLowerCase()
    return kind === 'stream' ? wanted !== 'websocket' : wanted === kind
  }

  /** How the body ends that is left in its socket: only where a route's work is done elsewhere. */
  #leaves(request: IncomingMessage): BodyFraming | undefined {
    const framing = leavableBody(request)
    if (!framing) return undefined
    const { path } = parseTarget(request.url ?? '/')
    return this.#router.find(request.method ?? 'GET', path)?.route.leavesBody ? framing : undefined
  }

  #serveLeft(request: IncomingMessage, left: LeftBody): void {
    this.#serveOutside(request, left.socket, { left })
  }

  /** Serves the last request of a connection that Node's parser has given up. */
  #serveOutside(request: IncomingMessage, socket: Socket, outside: Outside): void {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket)
    response.once('finish', () => {
      socket.end()
      dropRest(socket)
    })
    socket.on('error', () => undefined)
    if (outside.upgraded) track(this.#upgraded, socket)
    this.#start(request, response, outside)
  }

  /** A client that vanishes makes streams fail whose work has long ended: that is no news. */
  #start(request: IncomingMessage, response: ServerResponse, outside: Outside = {}): void {
    request.on('error', () => undefined)
    response.on('error', () => undefined)
    this.#serve(request, response, outside).catch((error: unknown) => {
      this.#log.error({ err: error, url: request.url }, 'request abandoned')
      request.destroy()
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse, outside: Outside): Promise<void> {
    for (const name in this.#headers) response.setHeader(name, this.#headers[name]!)
    const { path, search, version } = parseTarget(request.url ?? '/')
    this.#log.debug({ method: request.method, url: request.url }, 'request')
    const match = this.#router.find(request.method ?? 'GET', path)
    const facts = { request, response, search, ...outside, params: match?.params ?? {}, closing: this.#closing.signal }
    let exchange = new Exchange({ ...facts, version: newestVersion })
    if (!match || path.includes('//')) return serveUnknown(exchange)
    try {
      if (version !== undefined) exchange = new Exchange({ ...facts, version: parseVersion(version) })
      await match.route.handler(exchange)
    } catch (error) {
      await readRest(exchange)
      sendError(exchange, error, this.#log)
    }
  }
}

function track(sockets: Set<Duplex>, socket: Duplex): void {
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
}

/** What no route is for: any OPTIONS, paths with empty segments, and the rest. */
function serveUnknown(exchange: Exchange): void {
  const { request, response } = exchange
  const cleaned = cleanedTarget(request.url ?? '/')
  if (request.method === 'OPTIONS') return sendEmpty(exchange, 200)
  if (cleaned === undefined) return sendJson(exchange, { message: 'page not found' }, 404)
  response.writeHead(301, { Location: cleaned, 'Content-Length': 0 }).end()
}

/** Loaded when wanted: most engines listen on a unix socket only. */
async function createTlsServer(options: ServerOptions): Promise<Server> {
  const https = await import('node:https')
  // As of plain HTTP, where Node sees to it: who has ended its sending (close_notify) still reads.
  return https.createServer({ ...options, allowHalfOpen: true })
}

const tlsServerOptions = ({ certificate, key, clientAuthority }: TlsOptions) => ({
  cert: certificate,
  key,
  minVersion: 'TLSv1.2' as const,
  ...(clientAuthority ? { ca: clientAuthority, requestCert: true, rejectUnauthorized: true } : {}),
})

/** What the parser refuses gets a plain answer where the connection still takes one. */
function refuseMalformed(error: Error, socket: Duplex): void {
  const isTooLarge = codeOf(error) === 'HPE_HEADER_OVERFLOW'
  const status = isTooLarge ? '431 Request Header Fields Too Large' : '400 Bad Request'
  if (!socket.writable || codeOf(error) === 'ECONNRESET') return void socket.destroy()
  const head = `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n`
  socket.end(head + status, () => socket.destroy())
}
