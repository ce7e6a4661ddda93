import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { type Answer, deliver, errorAnswer } from './deliver.ts'
import { type MisbehaviourRule, Misbehaviours } from './misbehaviour.ts'
import { RegistryAccess, type RegistryAuth } from './registry-access.ts'
import { RegistryContent } from './registry-content.ts'
import { type AddedImage, addImage, addMultiImage, type RegistryImage } from './registry-image.ts'
import { findTarget, respond, type Target } from './registry-routes.ts'

export interface HostileRegistryOptions {
  /** Default 127.0.0.1. Two registries on 127.0.0.1 and 127.0.0.2 are two hosts to a client. */
  readonly address?: string
  readonly auth?: RegistryAuth
  /** PEM. With it, the registry speaks TLS only. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string }
}

/** A request as it came. */
export interface RecordedRequest {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly host: string
  readonly authorization: string | undefined
  readonly range: string | undefined
  readonly headers: IncomingMessage['headers']
  /** Of what was sent along. */
  readonly bodyBytes: number
  readonly atMs: number
}

/** A registry in this process that does what it should, but where it is told to misbehave. Dispose it. */
export interface HostileRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: what goes before an image's name. */
  readonly host: string
  /** With its scheme. */
  readonly origin: string
  readonly content: RegistryContent
  /** Everything that was asked, in order; recorded when it came, before anything is answered. */
  readonly requests: readonly RecordedRequest[]
  addImage(name: string, image: RegistryImage): AddedImage
  addMultiImage(...args: MultiImageArguments): ReturnType<typeof addMultiImage>
  misbehave(rule: MisbehaviourRule): Disposable
  /** Forgets what was asked so far. */
  forget(): void
  /** Connections that are open. */
  connections(): number
}

type MultiImageArguments = Parameters<typeof addMultiImage> extends [unknown, ...infer Rest] ? Rest : never

/** Starts one on a free port of the loopback. */
export async function openHostileRegistry(options: HostileRegistryOptions = {}): Promise<HostileRegistry> {
  const content = new RegistryContent()
  const rules = new Misbehaviours()
  const requests: RecordedRequest[] = []
  const state = { content, rules, requests, access: new RegistryAccess(options.auth), uploads: new Map(), origin: '' }
  const server = makeServer(options, (request, response) => {
    handle(state, request, response).catch(() => response.destroy())
  })
  let open = 0
  server.on('connection', (socket) => {
    open++
    socket.once('close', () => open--)
  })
  server.listen(0, options.address ?? '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  const host = `${address}:${port}`
  state.origin = `${options.tls ? 'https' : 'http'}://${host}`
  return {
    host,
    origin: state.origin,
    content,
    requests,
    addImage: (name, image) => addImage(content, name, image),
    addMultiImage: (...args) => addMultiImage(content, ...args),
    misbehave: (rule) => rules.add(rule),
    forget: () => void requests.splice(0),
    connections: () => open,
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}

type Handler = (request: IncomingMessage, response: ServerResponse) => void

function makeServer({ tls }: HostileRegistryOptions, handler: Handler) {
  if (!tls) return createServer(handler)
  const clients = tls.clientAuthority === undefined ? {} : { ca: tls.clientAuthority, requestCert: true }
  return createTlsServer({ cert: tls.certificate, key: tls.key, rejectUnauthorized: true, ...clients }, handler)
}

interface State {
  readonly content: RegistryContent
  readonly rules: Misbehaviours
  readonly requests: RecordedRequest[]
  readonly access: RegistryAccess
  readonly uploads: Map<string, Buffer[]>
  readonly origin: string
}

async function handle(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method = '', url: path = '/', headers } = request
  const recorded = {
    method,
    url: path,
    host: headers.host ?? '',
    authorization: headers.authorization,
    range: headers.range,
    headers,
    bodyBytes: 0,
    atMs: performance.now(),
  }
  state.requests.push(recorded)
  const url = new URL(path, state.origin)
  const target = findTarget(url.pathname)
  const misbehaviours = state.rules.take({ subject: target.subject, method, url: path })
  const body = await buffer(request)
  recorded.bodyBytes = body.length
  const withoutRange = misbehaviours.some(({ kind }) => kind === 'ignoreRange')
  const call = { method, url, headers: withoutRange ? { ...headers, range: undefined } : headers, body }
  await deliver(response, decide(state, request, target, call), misbehaviours, path)
}

function decide(state: State, request: IncomingMessage, target: Target, call: Parameters<typeof respond>[3]): Answer {
  if (target.subject === 'token') {
    return state.access.token(request, call.url.searchParams, new URLSearchParams(call.body.toString()))
  }
  const refused = state.access.refusal(request, scopeOf(target, call.method), state.origin)
  if (refused) return refused
  if (/(^|\/)\.\.?(\/|$)/.test(target.name)) return errorAnswer(400, 'NAME_INVALID')
  return respond(state.content, state.uploads, target, call)
}

function scopeOf({ name }: Target, method: string): string {
  if (name === '') return ''
  return `repository:${name}:${method === 'GET' || method === 'HEAD' ? 'pull' : 'push'}`
}
