import type { Endpoint } from './endpoints.ts'
import { RegistryError } from './errors.ts'
import { isSilence, UnreachedError } from './http/connection-error.ts'
import { retried, type RetryOptions } from './retry.ts'
import type { Session } from './session.ts'
import type { Timeouts } from './settings.ts'

export interface EndpointSessionsOptions {
  /** Best first; asked again at each use, for a host may have been found to speak plain HTTP. */
  readonly endpoints: (writes: boolean) => Promise<Endpoint[]>
  /** The same one for an endpoint each time. */
  readonly session: (endpoint: Endpoint) => Session
  /** Hears that an endpoint answered. */
  readonly onAnswer: (endpoint: Endpoint) => void
  /** Hears that none did. */
  readonly onUnreached: () => void
  readonly attempts: number
  readonly timeouts: Timeouts
}

/** Does work at the first endpoint that can, with retries at each. */
export class EndpointSessions {
  readonly #options: EndpointSessionsOptions

  constructor(options: EndpointSessionsOptions) {
    this.#options = options
  }

  /** Mirrors come first, and none of their failures is final. */
  reading<T>(work: (session: Session) => Promise<T>, options: RetryOptions = {}): Promise<T> {
    return this.#first(false, work, options)
  }

  /** Only the registry itself takes what is written. */
  writing<T>(work: (session: Session) => Promise<T>, options: RetryOptions = {}): Promise<T> {
    return this.#first(true, work, options)
  }

  async #first<T>(writes: boolean, work: (session: Session) => Promise<T>, options: RetryOptions): Promise<T> {
    const endpoints = await this.#options.endpoints(writes)
    let failure: unknown
    for (const endpoint of endpoints) {
      const isLast = endpoint === endpoints.at(-1)
      try {
        const result = await this.#at(endpoint, work, { ...options, isLast })
        this.#options.onAnswer(endpoint)
        return result
      } catch (error) {
        if (options.signal?.aborted) throw error
        if (isAnswer(error)) this.#options.onAnswer(endpoint)
        if (!endpoint.isMirror && !(error instanceof UnreachedError)) throw error
        failure = error
      }
    }
    this.#options.onUnreached()
    throw failure
  }

  #at<T>(
    endpoint: Endpoint,
    work: (session: Session) => Promise<T>,
    { isLast, ...options }: RetryOptions & { readonly isLast: boolean },
  ): Promise<T> {
    // A mirror that is slow to say no would keep us from the registry itself.
    const attempts = endpoint.isMirror && !isLast ? 1 : this.#options.attempts
    const session = this.#options.session(endpoint)
    return retried(() => work(session), {
      attempts,
      timeouts: this.#options.timeouts,
      // Who waits for somebody who is not there waits long enough once.
      isFinal: (error) => isSilence(error) && !session.hasAnswered,
      ...options,
    })
  }
}

/** Whether somebody at the other end spoke HTTP. */
const isAnswer = (error: unknown): boolean => error instanceof RegistryError
