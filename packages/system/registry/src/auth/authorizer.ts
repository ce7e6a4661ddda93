import { EngineError, forbidden } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { isIP } from 'node:net'
import type { Endpoint } from '../endpoints.ts'
import type { Transport } from '../http/transport.ts'
import type { Timeouts } from '../settings.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import { basicHeader, hasPassword } from './credentials.ts'
import { fetchToken, type Token } from './fetch-token.ts'
import { unitedScopes } from './scope.ts'

export interface AuthorizerOptions {
  readonly endpoint: Endpoint
  readonly auth: AuthConfig
  readonly transport: Transport
  readonly timeouts: Timeouts
}

/** The registry wants a password, and there is none. */
export class NoCredentialsError extends EngineError {
  readonly reason = 'no basic auth credentials'

  constructor(asked: string) {
    // Not `unauthorized`: at that docker's command line asks for a password, also in a script.
    super('internal', `${asked}: no basic auth credentials`)
  }
}

interface KeptToken {
  readonly token: Promise<Token>
  readonly untilMs: number
}

/** A token is not used when it is about to end. */
const marginMs = 10_000

/** Answers one endpoint's challenges with one user's credentials, which go to nobody but it and its token server. */
export class Authorizer {
  readonly #options: AuthorizerOptions
  readonly #tokens = new Map<string, KeptToken>()
  #challenge: Challenge | undefined

  constructor(options: AuthorizerOptions) {
    this.#options = options
  }

  /** The header for a request of these scopes; undefined as long as the registry has asked for none. */
  async header(scopes: readonly string[], signal?: AbortSignal): Promise<string | undefined> {
    const { auth } = this.#options
    if (auth.registrytoken) return `Bearer ${auth.registrytoken}`
    if (this.#challenge === undefined) return undefined
    if (this.#challenge.scheme === 'basic') return hasPassword(auth) ? basicHeader(auth) : undefined
    return `Bearer ${(await this.#token(this.#challenge, scopes, signal)).value}`
  }

  /** Takes note of the 401 that `asked` was answered with. False when another try would be no other: the answer is then final. */
  learn(header: string | undefined, sent: string | undefined, asked: string): boolean {
    const challenge = parseChallenge(header)
    if (challenge === undefined || this.#options.auth.registrytoken) return false
    if (challenge.scheme === 'basic' && !hasPassword(this.#options.auth)) {
      throw new NoCredentialsError(asked)
    }
    if (sent !== undefined && challenge.scheme === 'basic') return false
    this.#challenge = challenge
    // A token that was refused is of no more use, whatever it says of its end.
    this.#tokens.clear()
    return true
  }

  /** A login's token: without a scope, and with what refreshes it where the server gives that. */
  async login(signal?: AbortSignal): Promise<Token | undefined> {
    if (this.#challenge?.scheme !== 'bearer') return undefined
    const token = await this.#fetch(this.#challenge, [], { isLogin: true, signal })
    this.#keep('', Promise.resolve(token), token)
    return token
  }

  async #token(
    challenge: Challenge & { scheme: 'bearer' },
    own: readonly string[],
    signal?: AbortSignal,
  ): Promise<Token> {
    const scopes = unitedScopes(own, challenge.scope)
    const key = scopes.join(' ')
    const known = this.#tokens.get(key)
    if (known && known.untilMs > Date.now()) return known.token
    const token = this.#fetch(challenge, scopes, { signal })
    this.#tokens.set(key, { token, untilMs: Number.POSITIVE_INFINITY })
    try {
      this.#keep(key, token, await token)
    } catch (error) {
      this.#tokens.delete(key)
      throw error
    }
    return token
  }

  #keep(key: string, token: Promise<Token>, { expiresInMs }: Token): void {
    this.#tokens.set(key, { token, untilMs: Date.now() + expiresInMs - marginMs })
  }

  async #fetch(
    { realm, service }: Challenge & { scheme: 'bearer' },
    scopes: readonly string[],
    { isLogin = false, signal }: { isLogin?: boolean; signal: AbortSignal | undefined },
  ): Promise<Token> {
    const { auth, transport, timeouts } = this.#options
    const url = realmUrl(realm, this.#options.endpoint)
    const isOwnHost = url.origin === new URL(this.#options.endpoint.base).origin
    const verifiesTls = this.#options.endpoint.verifiesTls || !isOwnHost
    const means = { transport, timeouts, verifiesTls }
    return await fetchToken({ realm: url, service, scopes, auth, isLogin, signal }, means)
  }
}

/**
 * The registry names its token server, which may be another host; what goes there is a password. So the name counts
 * only in the registry's own answer (`Session` sees to that), and one that is reached safely cannot send us to one that
 * is not.
 */
function realmUrl(realm: string, endpoint: Endpoint): URL {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '') {
    throw forbidden(`${new URL(endpoint.base).host} names no usable token server in its challenge`)
  }
  const isPlain = url.protocol === 'http:'
  const isOwn = url.host === new URL(endpoint.base).host
  if (isPlain && endpoint.verifiesTls) {
    throw forbidden(`${new URL(endpoint.base).host} wants credentials to go to ${url.origin}, without TLS: refused`)
  }
  if (isPlain && !isOwn && !isLoopback(url.hostname)) {
    throw forbidden(`${new URL(endpoint.base).host} wants credentials to go to ${url.origin}, without TLS: refused`)
  }
  return url
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || (isIP(host) === 4 && host.startsWith('127.'))
