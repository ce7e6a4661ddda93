import { codeOf, isKind } from '@berth/base'
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Headers, Outgoing } from './outgoing.ts'
import { connectionError, proxyRefusal, proxyWantsCredentials, silence } from './connection-error.ts'
import { planProxy } from '../proxy.ts'
import type { Proxies, Timeouts } from '../settings.ts'
import { certificatesStamp, type HostCertificates, readCertificates, systemAuthorities } from '../tls/certificates.ts'

/** The head of an answer, and its body, to be read or dropped. */
export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly url: URL
  readonly body: IncomingMessage
}

export interface TransportOptions {
  readonly certificateDirectories: readonly string[]
  readonly proxies: Proxies
  readonly userAgent: string
  readonly timeouts: Timeouts
}

/** What a registry may send before its answer's body. */
const limits = { maxHeaderSize: 32 * 1024 }
const maxHeaders = 200
const maxSockets = 32

/** HTTP/1.1 over kept connections; one pool for each way to a host. Sends what it is told, and decides nothing. */
export class Transport implements Disposable {
  readonly #options: TransportOptions
  readonly #agents = new Map<string, Promise<HttpAgent>>()

  constructor(options: TransportOptions) {
    this.#options = options
  }

  /** Resolves with the answer's head. Fails with `unavailable` in Docker's words when there is none. */
  async send(outgoing: Outgoing): Promise<Answer> {
    const { method, url } = outgoing
    const proxy = planProxy(url, this.#options.proxies)
    const agent = await this.#agent(outgoing, proxy)
    for (let again = true; ; again = false) {
      const attempt = new Attempt(outgoing, { agent, ...this.#options })
      try {
        const answer = await attempt.run()
        if (proxy === undefined || answer.status !== proxyWantsCredentials) return answer
        await drop(answer)
        throw proxyRefusal(method, url, proxy, answer.status)
      } catch (error) {
        // A kept connection may end just as it is used again: that says nothing of the registry.
        if (again && attempt.hitStaleConnection(error)) continue
        if (outgoing.signal?.aborted) throw outgoing.signal.reason
        throw isKind(error, 'unavailable') ? error : connectionError(method, url, error, proxy)
      }
    }
  }

  [Symbol.dispose](): void {
    for (const agent of this.#agents.values()) agent.then((made) => made.destroy()).catch(() => {})
    this.#agents.clear()
  }

  /** Certificates are looked for each time, so that one that was put down counts from then on. */
  async #agent({ url, verifiesTls = true }: Outgoing, proxy: string | undefined): Promise<HttpAgent> {
    const directories = this.#options.certificateDirectories
    const stamp = url.protocol === 'https:' ? await certificatesStamp(directories, url.host) : ''
    const key = [url.origin, verifiesTls, proxy ?? '', stamp].join(' ')
    const known = this.#agents.get(key)
    if (known) return await known
    const made = this.#makeAgent(url, { proxy, verifiesTls })
    this.#agents.set(key, made)
    made.catch(() => this.#agents.delete(key))
    return await made
  }

  async #makeAgent(
    url: URL,
    { proxy, verifiesTls }: { proxy: string | undefined; verifiesTls: boolean },
  ): Promise<HttpAgent> {
    const proxyEnv = proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy }
    const common = { keepAlive: true, maxSockets, proxyEnv, timeout: this.#options.timeouts.stallMs }
    if (url.protocol === 'http:') return new HttpAgent(common)
    // A host sees what was put down for it, and nothing that was made for another.
    const certificates = await readCertificates(this.#options.certificateDirectories, url.host)
    const trusted: HostCertificates = { ca: [...(await systemAuthorities())], ...certificates }
    return new HttpsAgent({ ...common, ...trusted, rejectUnauthorized: verifiesTls, minVersion: 'TLSv1.2' })
  }
}

class Attempt {
  readonly #outgoing: Outgoing
  readonly #options: TransportOptions & { readonly agent: HttpAgent }
  #request: ClientRequest | undefined

  constructor(outgoing: Outgoing, options: TransportOptions & { readonly agent: HttpAgent }) {
    this.#outgoing = outgoing
    this.#options = options
  }

  hitStaleConnection(error: unknown): boolean {
    const isStale = this.#request?.reusedSocket === true && ['ECONNRESET', 'EPIPE'].includes(codeOf(error) ?? '')
    return isStale && (this.#outgoing.body === undefined || this.#outgoing.body instanceof Uint8Array)
  }

  async run(): Promise<Answer> {
    const { url, body, signal } = this.#outgoing
    signal?.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
    const request = this.#open(resolve, reject)
    const timer = setTimeout(() => request.destroy(new Error(silence)), this.#waitMs())
    const abort = () => request.destroy(new DOMException('aborted', 'AbortError'))
    signal?.addEventListener('abort', abort, { once: true })
    try {
      if (body !== undefined && !(body instanceof Uint8Array)) await this.#sendStream(request, body, promise)
      else request.end(body)
      const incoming = await promise
      incoming.once('close', () => signal?.removeEventListener('abort', abort))
      return { status: incoming.statusCode ?? 0, headers: incoming.headers, url, body: incoming }
    } catch (error) {
      signal?.removeEventListener('abort', abort)
      request.destroy()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** A body may take its time: only when it is there does the answer's time begin. */
  #waitMs(): number {
    const { method, body } = this.#outgoing
    const { readAnswerMs, answerMs } = this.#options.timeouts
    if (method === 'GET' || method === 'HEAD') return readAnswerMs
    return body !== undefined && !(body instanceof Uint8Array) ? 24 * 3600_000 : answerMs
  }

  #open(resolve: (incoming: IncomingMessage) => void, reject: (error: Error) => void): ClientRequest {
    const { method, url } = this.#outgoing
    const { agent, timeouts } = this.#options
    const open = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = open(url, { method, headers: this.#headers(), agent, ...limits })
    request.maxHeadersCount = maxHeaders
    request.setTimeout(timeouts.stallMs, () => request.destroy(new Error('i/o timeout')))
    // From here on whoever reads the body keeps the time.
    request.once('response', (incoming) => {
      request.setTimeout(0)
      resolve(incoming)
    })
    request.on('error', reject)
    this.#request = request
    return request
  }

  #headers(): Headers {
    const { headers, body, bodyBytes } = this.#outgoing
    const length = body instanceof Uint8Array ? body.length : bodyBytes
    const isWrite = !['GET', 'HEAD'].includes(this.#outgoing.method)
    const size = body === undefined && isWrite ? 0 : length
    return {
      'User-Agent': this.#options.userAgent,
      'Accept-Encoding': 'identity',
      ...headers,
      ...(size !== undefined && { 'Content-Length': String(size) }),
    }
  }

  /** Ends early when the registry has answered without waiting for the end: what it says counts. */
  async #sendStream(
    request: ClientRequest,
    body: AsyncIterable<Uint8Array>,
    answered: Promise<unknown>,
  ): Promise<void> {
    const sent = pipeline(Readable.from(body, { objectMode: false, highWaterMark: 1 << 20 }), request)
    sent.catch(() => {})
    await Promise.race([sent, answered.then(() => undefined)])
  }
}

/** Reads a body that nobody wants, a little of it, so that its connection can be used again. */
export async function drop({ body }: Answer): Promise<void> {
  let bytes = 0
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > 64 * 1024) break
    }
  } catch {
    // Its connection is gone, and nobody waits for it.
  }
}
