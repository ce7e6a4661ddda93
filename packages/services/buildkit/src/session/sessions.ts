import { invalid, notFound } from '@berth/base'
import type { Duplex } from 'node:stream'
import { Session, type SessionIdentity } from './session.ts'

/** How long a build waits for a session that it names: `/session` may be opened after it. */
const waitMs = 10_000

/** As many clients may be connected at once. */
const maxSessions = 1000

/** The sessions that are open, by their ids. */
export class Sessions implements Disposable {
  readonly #open = new Map<string, Session>()
  readonly #waiting = new Map<string, Set<(session: Session) => void>>()

  /** Takes a connection over. Throws `invalid` for an id that is missing, or is in use. */
  add(identity: SessionIdentity, socket: Duplex): void {
    const { id } = identity
    this.requireFree(id)
    const session = new Session(identity, socket, () => this.#open.delete(id))
    this.#open.set(id, session)
    for (const resolve of this.#waiting.get(id) ?? []) resolve(session)
    this.#waiting.delete(id)
  }

  requireFree(id: string): void {
    if (id === '' || id.length > 256) throw invalid('the session has no id')
    if (this.#open.has(id)) throw invalid(`session ${id} exists already`)
    if (this.#open.size >= maxSessions) throw invalid(`more than ${maxSessions} sessions`)
  }

  /** The session of that id, when it comes. */
  async get(id: string, signal: AbortSignal): Promise<Session> {
    const open = this.#open.get(id)
    if (open) return open
    if (id === '') throw notFound('no active session: the client has not opened one')
    const { promise, resolve, reject } = Promise.withResolvers<Session>()
    const waiting = this.#waiting.get(id) ?? new Set()
    this.#waiting.set(id, waiting.add(resolve))
    const timer = setTimeout(() => reject(notFound(`no active session for ${id}: context deadline exceeded`)), waitMs)
    const abort = () => reject(signal.reason as Error)
    signal.addEventListener('abort', abort, { once: true })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
      waiting.delete(resolve)
      if (waiting.size === 0) this.#waiting.delete(id)
    }
  }

  [Symbol.dispose](): void {
    for (const session of this.#open.values()) session[Symbol.dispose]()
  }
}
