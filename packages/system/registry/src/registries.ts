import { unauthorized, unavailable } from '@berth/base'
import type { AuthConfig } from '@berth/engine-api'
import { lookup } from 'node:dns/promises'
import { Authorizer } from './auth/authorizer.ts'
import { type Download, download } from './download.ts'
import { EndpointSessions } from './endpoint-sessions.ts'
import { dependsOnAddresses, type Endpoint, hostOf, isInsecureHost, planEndpoints } from './endpoints.ts'
import { login, type LoginResult } from './login.ts'
import { createRepository, type Repository, type RepositoryName } from './repository.ts'
import { type SearchQuery, search, type SearchResult } from './search.ts'
import { Session } from './session.ts'
import { defaultTimeouts, type Proxies, type RegistrySettings, type Timeouts } from './settings.ts'
import { Transport } from './http/transport.ts'

/** Every registry, reached in the one way that the settings say. */
export interface Registries extends Disposable {
  repository(name: RepositoryName, auth?: AuthConfig): Repository
  /** Whether `domain` takes these credentials; throws `unauthorized` when it does not. */
  login(domain: string, auth: AuthConfig, signal?: AbortSignal): Promise<LoginResult>
  search(domain: string, query: SearchQuery, auth?: AuthConfig): Promise<SearchResult[]>
  /**
   * What any URL of http or https serves, by the same proxies: see `download`. No registry's certificates or credentials
   * are shown or believed.
   */
  download(url: string, signal: AbortSignal): Promise<Download>
  /** For programs that fetch by themselves. */
  readonly proxies: Proxies
  /** From now on; what is under way goes on as it began. */
  reconfigure(settings: RegistrySettings): void
}

export function createRegistries(settings: RegistrySettings): Registries {
  return new OpenRegistries(settings)
}

/** How long we remember by which of its ways a host answered. */
const rememberMs = 300_000
const maxRemembered = 1000

class OpenRegistries implements Registries {
  #settings: RegistrySettings
  #timeouts: Timeouts
  #transport: Transport
  /** For what is no registry's. */
  #plain: Transport
  /** Domain to the base that answered last. */
  readonly #answered = new Map<string, { readonly base: string; readonly untilMs: number }>()

  constructor(settings: RegistrySettings) {
    this.#settings = settings
    this.#timeouts = { ...defaultTimeouts, ...settings.timeouts }
    this.#transport = new Transport({ ...settings, timeouts: this.#timeouts })
    this.#plain = new Transport({ ...settings, certificateDirectories: [], timeouts: this.#timeouts })
  }

  repository(name: RepositoryName, auth: AuthConfig = {}): Repository {
    const limits = { timeouts: this.#timeouts, attempts: this.#settings.attempts }
    return createRepository(name, this.#sessions(name.domain, auth), limits)
  }

  async login(domain: string, auth: AuthConfig, signal?: AbortSignal): Promise<LoginResult> {
    const sessions = this.#sessions(domain, auth)
    return await sessions.writing((session) => login(session, this.#authorizerOf(session), { auth, signal }), {
      signal,
    })
  }

  async search(domain: string, query: SearchQuery, auth: AuthConfig = {}): Promise<SearchResult[]> {
    this.#requireOnline()
    const isHub = domain === 'docker.io'
    const endpoints = isHub ? [hubIndex] : await this.#endpoints(domain, true)
    return await search(endpoints, query, { auth, transport: this.#transport, timeouts: this.#timeouts })
  }

  async download(url: string, signal: AbortSignal): Promise<Download> {
    return await download(url, { transport: this.#plain, stallMs: this.#timeouts.stallMs, signal })
  }

  get proxies(): Proxies {
    return this.#settings.proxies
  }

  reconfigure(settings: RegistrySettings): void {
    // What is under way keeps its transport, whose idle connections end by themselves.
    this.#settings = settings
    this.#timeouts = { ...defaultTimeouts, ...settings.timeouts }
    this.#transport = new Transport({ ...settings, timeouts: this.#timeouts })
    this.#plain = new Transport({ ...settings, certificateDirectories: [], timeouts: this.#timeouts })
    this.#answered.clear()
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]()
    this.#plain[Symbol.dispose]()
  }

  readonly #authorizers = new WeakMap<Session, Authorizer>()

  #authorizerOf(session: Session): Authorizer {
    const found = this.#authorizers.get(session)
    if (!found) throw unauthorized('no credentials')
    return found
  }

  #sessions(domain: string, auth: AuthConfig): EndpointSessions {
    const open = new Map<string, Session>()
    const { attempts } = this.#settings
    return new EndpointSessions({
      endpoints: (writes) => this.#endpoints(domain, writes),
      session: (endpoint) => {
        const session = open.get(endpoint.base) ?? this.#open(endpoint, auth)
        open.set(endpoint.base, session)
        return session
      },
      onAnswer: (endpoint) => this.#remember(domain, endpoint),
      onUnreached: () => this.#answered.delete(domain),
      attempts,
      timeouts: this.#timeouts,
    })
  }

  /** Credentials are the registry's own: no mirror sees them. */
  #open(endpoint: Endpoint, auth: AuthConfig): Session {
    const [transport, timeouts] = [this.#transport, this.#timeouts]
    const authorizer = new Authorizer({ endpoint, auth: endpoint.isMirror ? {} : auth, transport, timeouts })
    const session = new Session({ endpoint, transport, authorizer })
    this.#authorizers.set(session, authorizer)
    return session
  }

  async #endpoints(domain: string, writes: boolean): Promise<Endpoint[]> {
    this.#requireOnline()
    const { mirrors, insecure } = this.#settings
    const addresses = dependsOnAddresses(domain) ? await addressesOf(hostOf(domain)) : []
    const endpoints = planEndpoints(domain, {
      mirrors,
      writes,
      isInsecure: isInsecureHost(domain, addresses, insecure),
    })
    const answered = this.#answered.get(domain)
    const isFirst = ({ base, isMirror }: Endpoint) => !isMirror && base === answered?.base
    if (!answered || answered.untilMs < Date.now()) return endpoints
    return endpoints.some(isFirst) ? endpoints.filter((one) => one.isMirror || isFirst(one)) : endpoints
  }

  #remember(domain: string, { base, isMirror }: Endpoint): void {
    if (isMirror) return
    if (this.#answered.size >= maxRemembered) this.#answered.clear()
    this.#answered.set(domain, { base, untilMs: Date.now() + rememberMs })
  }

  #requireOnline(): void {
    if (this.#settings.isOffline) throw unavailable('the engine is offline (--offline): no registry is asked')
  }
}

const hubIndex: Endpoint = { base: 'https://index.docker.io', isMirror: false, verifiesTls: true }

/** None when the name is unknown: who connects will say so. */
async function addressesOf(host: string): Promise<string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    return []
  }
}
