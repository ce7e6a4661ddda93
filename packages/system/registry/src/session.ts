import { forbidden, invalid, unavailable } from '@berth/base'
import type { Authorizer } from './auth/authorizer.ts'
import type { Endpoint } from './endpoints.ts'
import { answerError } from './errors.ts'
import type { Headers, Outgoing } from './http/outgoing.ts'
import { type Answer, drop, type Transport } from './http/transport.ts'

export interface SessionRequest {
  readonly method: Outgoing['method']
  /** Of the endpoint, `/v2/...`; or where the registry told us to go. */
  readonly target: string | URL
  readonly scopes: readonly string[]
  readonly headers?: Headers
  readonly body?: Uint8Array
  /** A body that can be made anew when it must be sent again. */
  readonly stream?: () => AsyncIterable<Uint8Array>
  readonly bodyBytes?: number
  readonly signal?: AbortSignal | undefined
}

export interface SessionOptions {
  readonly endpoint: Endpoint
  readonly transport: Transport
  readonly authorizer: Authorizer
}

const maxRedirects = 5
const redirects: readonly number[] = [301, 302, 303, 307, 308]

/** Requests to one endpoint: answers its challenges, follows its redirects for what is read, and keeps secrets to it. */
export class Session {
  readonly endpoint: Endpoint
  readonly #options: SessionOptions
  readonly #origin: string
  #hasAnswered = false

  constructor(options: SessionOptions) {
    this.endpoint = options.endpoint
    this.#options = options
    this.#origin = new URL(options.endpoint.base).origin
  }

  /** Whether the endpoint has said anything yet, be it that it wants a password. */
  get hasAnswered(): boolean {
    return this.#hasAnswered
  }

  /** The answer of any 2xx status; everything else is an error in the registry's words. */
  async request(request: SessionRequest): Promise<Answer> {
    const answer = await this.send(request)
    if (answer.status >= 200 && answer.status < 300) return answer
    throw await this.#refusal(answer)
  }

  /** As `request`, with whatever status the registry gave. */
  async send(request: SessionRequest): Promise<Answer> {
    const { authorizer } = this.#options
    for (let tries = 0; ; tries++) {
      const sent = await authorizer.header(request.scopes, request.signal)
      const answer = await this.#follow(request, sent)
      // What another host asks for, it does not get.
      if (answer.status !== 401 || answer.url.origin !== this.#origin || tries > 0) return answer
      const asked = `${verbOf(request.method)} "${answer.url.origin}${answer.url.pathname}"`
      if (!authorizer.learn(answer.headers['www-authenticate'], sent, asked)) return answer
      await drop(answer)
    }
  }

  async #follow(request: SessionRequest, authorization: string | undefined): Promise<Answer> {
    let url = this.#resolve(request.target)
    for (let hops = 0; hops <= maxRedirects; hops++) {
      const answer = await this.#send(request, url, authorization)
      this.#hasAnswered = true
      const { location } = answer.headers
      if (!redirects.includes(answer.status) || location === undefined) return answer
      if (request.method !== 'GET' && request.method !== 'HEAD') return answer
      await drop(answer)
      url = this.#next(url, location)
    }
    throw unavailable(`${this.#origin}: stopped after ${maxRedirects} redirects`)
  }

  #send(request: SessionRequest, url: URL, authorization: string | undefined): Promise<Answer> {
    const isOwn = url.origin === this.#origin
    const { method, headers, body, stream, bodyBytes, signal } = request
    return this.#options.transport.send({
      method,
      url,
      headers: { ...headers, ...(isOwn && authorization !== undefined && { Authorization: authorization }) },
      ...(body && { body }),
      ...(stream && { body: stream() }),
      ...(bodyBytes !== undefined && { bodyBytes }),
      ...(signal && { signal }),
      verifiesTls: this.endpoint.verifiesTls || !isOwn,
    })
  }

  #resolve(target: string | URL): URL {
    return target instanceof URL ? target : new URL(`${this.endpoint.base}${target}`)
  }

  /** A registry may keep its blobs elsewhere; one reached safely may not send us where anybody listens. */
  #next(from: URL, location: string): URL {
    if (location.length > 16 * 1024 || !URL.canParse(location, from))
      throw unavailable(`${from.host}: redirects to nowhere`)
    const url = new URL(location, from)
    if (!/^https?:$/.test(url.protocol)) throw unavailable(`${from.host}: redirects to ${url.protocol}, refused`)
    if (from.protocol === 'https:' && url.protocol === 'http:' && this.endpoint.verifiesTls) {
      throw unavailable(`${from.host}: redirects from https to ${url.origin}, refused`)
    }
    url.username = ''
    url.password = ''
    return url
  }

  /** Where an upload goes on: the registry says so with each answer (distribution spec, pushing blobs). */
  uploadLocation(answer: Answer): URL {
    const { location } = answer.headers
    if (location === undefined || !URL.canParse(location, answer.url)) {
      throw invalid(`${answer.url.host} gives no place for an upload`)
    }
    return this.#next(answer.url, location)
  }

  async #refusal(answer: Answer): Promise<Error> {
    const isOwn = answer.url.origin === this.#origin
    const error = await answerError(answer, isOwn)
    if (isOwn || error.kind !== 'unauthorized') return error
    return forbidden(
      `${answer.url.host}, where ${new URL(this.#origin).host} sends us, wants credentials: it gets none`,
    )
  }
}

/** Go's name of a method in errors: `Head`. */
const verbOf = (method: string): string => method.slice(0, 1) + method.slice(1).toLowerCase()
