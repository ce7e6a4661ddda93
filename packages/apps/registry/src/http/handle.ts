import { type Logger, messageOf } from '@berth/base'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Access } from '../access/access.ts'
import type { Metrics } from '../metrics.ts'
import { type Call, send, sendJson } from './call.ts'
import { RegistryError, toRegistryError } from './errors.ts'
import { parseTarget, type Target } from './target.ts'

export interface HandlerOptions {
  readonly access: Access
  readonly metrics: Metrics
  readonly logger: Logger
  /** Requests at one time; more are told to come back. */
  readonly maxRequests: number
  readonly answer: (call: Call, target: Target) => Promise<void>
  /** Of the store, for `/metrics`. */
  readonly gauges: () => Readonly<Record<string, number>>
  /** Throws when the registry cannot work. */
  readonly probe: () => void
}

/** Answers one request, whatever happens, and logs it. */
export async function handle(
  options: HandlerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { metrics } = options
  const startedMs = performance.now()
  const gone = new AbortController()
  metrics.active++
  const { socket } = request
  response.once('close', () => {
    metrics.active--
    const bytes = countBytes(socket)
    metrics.receivedBytes += bytes.received
    metrics.sentBytes += bytes.sent
    metrics.countRequest(request.method ?? '', response.statusCode)
    if (!response.writableFinished) gone.abort(new Error('the client is gone'))
    const ms = Math.round(performance.now() - startedMs)
    logAccess(options.logger, request, response, { user, ms, ...bytes })
  })
  let user: string | undefined
  const call = makeCall(request, response, gone.signal)
  try {
    const { path } = splitUrl(request.url)
    if (answerOwn(options, call, path)) return
    if (metrics.active > options.maxRequests) throw tooBusy()
    user = await options.access.admit(request)
    if (path === '/metrics') return sendMetrics(options, call)
    const target = parseTarget(path)
    if (!target) return send(call, 404, { 'Content-Type': 'text/plain; charset=utf-8' }, '404 page not found\n')
    response.setHeader('Docker-Distribution-Api-Version', 'registry/2.0')
    await options.answer({ ...call, user }, target)
  } catch (error) {
    fail(options.logger, call, error)
  } finally {
    endBody(call)
  }
}

/** What was counted of a connection so far: its requests come one after the other. */
const counted = new WeakMap<Socket, { readonly received: number; readonly sent: number }>()

function countBytes(socket: Socket): { received: number; sent: number } {
  const now = { received: socket.bytesRead, sent: socket.bytesWritten }
  const before = counted.get(socket) ?? { received: 0, sent: 0 }
  counted.set(socket, now)
  return { received: now.received - before.received, sent: now.sent - before.sent }
}

function makeCall(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Call {
  response.setHeader('X-Content-Type-Options', 'nosniff')
  const { query } = splitUrl(request.url)
  return { request, response, method: request.method ?? '', query, user: undefined, signal }
}

function splitUrl(url = ''): { path: string; query: URLSearchParams } {
  const mark = url.indexOf('?')
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) }
}

/** What is asked without a password. */
function answerOwn({ probe }: HandlerOptions, call: Call, path: string): boolean {
  if (path === '/' && call.method === 'GET') send(call, 200)
  else if (path === '/healthz') {
    probe()
    send(call, 200, { 'Content-Type': 'text/plain' }, 'ok\n')
  } else return false
  return true
}

function sendMetrics({ metrics, gauges }: HandlerOptions, call: Call): void {
  send(call, 200, { 'Content-Type': 'text/plain; version=0.0.4' }, metrics.render(gauges()))
}

const tooBusy = (): RegistryError =>
  new RegistryError(429, 'TOOMANYREQUESTS', 'too many requests at one time', { headers: { 'Retry-After': '1' } })

function fail(logger: Logger, call: Call, error: unknown): void {
  const { response, signal } = call
  if (signal.aborted || response.destroyed) return
  const told = toRegistryError(error)
  if (told.status >= 500) logger.error({ path: call.request.url, error: explain(error) }, 'a request failed')
  // Half an answer must not look like a whole one.
  if (response.headersSent) return void response.destroy()
  const { code, message, detail, headers, status } = told
  sendJson(call, status, { errors: [{ code, message, detail }] }, headers)
}

const explain = (error: unknown): string =>
  error instanceof Error
    ? `${error.stack ?? error.message}${error.cause ? `: ${messageOf(error.cause)}` : ''}`
    : String(error)

/** Bytes of a refused request that are still read, so that its client sees why before the connection ends. */
const mostIgnoredBytes = 1024 * 1024
const mostIgnoredMs = 5000

function endBody({ request, response }: Call): void {
  if (request.complete || request.destroyed || response.destroyed) return
  if (!response.headersSent) return
  let ignored = 0
  const timer = setTimeout(() => request.destroy(), mostIgnoredMs)
  request.once('close', () => clearTimeout(timer))
  request.on('data', (chunk: Buffer) => {
    ignored += chunk.length
    if (ignored > mostIgnoredBytes) request.socket.destroySoon()
  })
}

interface AccessFacts {
  readonly user: string | undefined
  readonly ms: number
  readonly received: number
  readonly sent: number
}

function logAccess(logger: Logger, request: IncomingMessage, response: ServerResponse, facts: AccessFacts): void {
  const { method, url, socket, headers } = request
  const status = response.headersSent ? response.statusCode : 0
  const from = socket.remoteAddress
  logger.info({ method, url, status, from, agent: headers['user-agent'], ...facts }, 'request')
}
