import type { ApiVersion } from '@berth/engine-api'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { LeftBody } from './left-bodies.ts'

/** A connection whose client asked to leave HTTP; what it reads first arrived with the request. */
export interface Upgraded {
  readonly socket: Duplex
}

/** What a request has of a connection on which no other follows. */
export interface Outside {
  readonly upgraded?: Upgraded | undefined
  readonly left?: LeftBody | undefined
}

interface ExchangeFacts extends Outside {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly version: ApiVersion
  readonly params: Readonly<Record<string, string | undefined>>
  readonly search: string
  /** Aborts when the engine stops serving. */
  readonly closing: AbortSignal
}

/** One for all: an error of its own, with a stack, is what ending a wait would cost most. */
export const clientGone = new DOMException('the client is gone', 'AbortError')

/** One request and its answer. */
export class Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly version: ApiVersion
  readonly upgraded: Upgraded | undefined
  readonly left: LeftBody | undefined
  readonly #facts: ExchangeFacts
  #query: URLSearchParams | undefined
  #signal: AbortSignal | undefined

  constructor(facts: ExchangeFacts) {
    this.request = facts.request
    this.response = facts.response
    this.version = facts.version
    this.upgraded = facts.upgraded
    this.left = facts.left
    this.#facts = facts
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#facts.search))
  }

  /** A parameter of the route's path; the router has filled those that the path names. */
  param(name: string): string {
    return this.#facts.params[name] ?? ''
  }

  /** Aborts when the client goes away or the engine stops: for what would go on without end. */
  get signal(): AbortSignal {
    return (this.#signal ??= AbortSignal.any([this.#clientGone(), this.#facts.closing]))
  }

  // A client that closed a unix socket looks like one that ended its sending; who follows an endless answer has no
  // more to send.
  #clientGone(): AbortSignal {
    const controller = new AbortController()
    const abort = () => controller.abort(clientGone)
    const { socket } = this.request
    if (this.response.closed || socket.readableEnded) abort()
    this.response.once('close', abort)
    socket.once('end', abort)
    this.response.once('finish', () => socket.off('end', abort))
    return controller.signal
  }
}

export type Handler = (exchange: Exchange) => Promise<void> | void
