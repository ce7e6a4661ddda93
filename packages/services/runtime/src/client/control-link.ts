import { connect, type Socket } from 'node:net'
import { conflict, type EngineError, internal, invalid, messageOf, notFound, unavailable } from '@berth/base'
import { decodeFromSupervisor, decodeWelcome } from '../protocol/decode.ts'
import { encodeLine, LineDecoder } from '../protocol/lines.ts'
import {
  type Announcement,
  type Answers,
  type Failure,
  protocolVersion,
  type Request,
  type Welcome,
} from '../protocol/messages.ts'

export interface ControlLinkOptions {
  readonly path: string
  readonly onAnnouncement: (announcement: Announcement) => void
  /** The connection is lost; once. Not called when the link is disposed of. */
  readonly onClose: () => void
}

/** The OCI runtime's own words, to be put into Docker's by who knows what was asked for. */
export class RuntimeFailure extends Error {
  override readonly name = 'RuntimeFailure'
}

type Answer<R extends Request> = R['op'] extends keyof Answers ? Answers[R['op']] : unknown

/** A request that goes by another connection, and its reply. */
export interface Expected<R extends Request> {
  /** As a line of the protocol. */
  readonly message: { readonly id: number } & R
  readonly reply: Promise<Answer<R>>
  /** It did not go: `reply` rejects. */
  readonly abandon: (error: Error) => void
}

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
}

/** A control connection to the supervisor: requests with replies, and what it announces. */
export class ControlLink implements Disposable {
  readonly welcome: Welcome
  readonly #socket: Socket
  readonly #decoder: LineDecoder
  readonly #pending = new Map<number, Pending>()
  readonly #options: ControlLinkOptions
  #lastId = 0
  #isDisposed = false

  private constructor(socket: Socket, decoder: LineDecoder, welcome: Welcome, options: ControlLinkOptions) {
    this.#socket = socket
    this.#decoder = decoder
    this.#options = options
    this.welcome = welcome
  }

  /** Connects and shakes hands. Rejects with ENOENT or ECONNREFUSED when no supervisor is there. */
  static async open(options: ControlLinkOptions): Promise<ControlLink> {
    const socket = await connected(options.path)
    const decoder = new LineDecoder()
    socket.write(encodeLine({ role: 'control', protocol: protocolVersion }))
    const { message, rest } = await firstMessage(socket, decoder)
    const link = new ControlLink(socket, decoder, decodeWelcome(message), options)
    socket.on('data', (chunk: Buffer) => link.#receive(chunk))
    socket.once('close', () => link.#closed())
    if (rest.length > 0) link.#receive(rest)
    socket.resume()
    return link
  }

  /** Resolves with the reply; rejects with an `EngineError`, or a `RuntimeFailure` of start and exec. */
  request<R extends Request>(request: R): Promise<Answer<R>> {
    if (this.#socket.destroyed) return Promise.reject(supervisorGone())
    const { message, reply } = this.expect(request)
    this.#socket.write(encodeLine(message))
    return reply
  }

  /** Sends a request whose answer would change nothing; older supervisors give one. Rejects when that is a refusal. */
  async tell(request: Request): Promise<void> {
    if (!this.welcome.takesNotices) await this.request(request)
    else if (this.#socket.destroyed) throw supervisorGone()
    else this.#socket.write(encodeLine(request))
  }

  /** For a request that goes by another connection. Throws `unavailable` when this one is lost. */
  expect<R extends Request>(request: R): Expected<R> {
    if (this.#socket.destroyed) throw supervisorGone()
    const id = ++this.#lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    this.#pending.set(id, { resolve, reject })
    const abandon = (error: Error) => {
      this.#pending.delete(id)
      reject(error)
    }
    return { message: { id, ...request }, reply: promise as Promise<Answer<R>>, abandon }
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    try {
      for (const line of this.#decoder.push(chunk)) this.#handle(decodeFromSupervisor(line))
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #handle(message: ReturnType<typeof decodeFromSupervisor>): void {
    if ('announce' in message) return this.#options.onAnnouncement(message)
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if ('failure' in message) pending?.reject(failureError(message.failure))
    else pending?.resolve(message.value)
  }

  #closed(): void {
    for (const { reject } of this.#pending.values()) reject(supervisorGone())
    this.#pending.clear()
    if (!this.#isDisposed) this.#options.onClose()
  }
}

const supervisorGone = (): EngineError => unavailable('the connection to the supervisor is lost')

const errorOf: Record<Exclude<Failure['kind'], 'runtime'>, (message: string) => EngineError> = {
  notFound,
  conflict,
  invalid,
  internal,
}

function failureError({ kind, message }: Failure): Error {
  return kind === 'runtime' ? new RuntimeFailure(message) : errorOf[kind](message)
}

/** A connection to the supervisor's socket. */
export function connected(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connect(path)
  socket.once('error', reject)
  socket.once('connect', () => {
    socket.off('error', reject)
    // What matters is the close that follows.
    socket.on('error', () => {})
    resolve(socket)
  })
  return promise
}

/** The first line that comes, and the bytes after it; the socket is paused when this resolves. */
export function firstMessage(socket: Socket, decoder: LineDecoder): Promise<{ message: unknown; rest: Buffer }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ message: unknown; rest: Buffer }>()
  const finish = () => {
    socket.off('data', onData)
    socket.off('close', onClose)
    socket.pause()
  }
  const onClose = () => reject(supervisorGone())
  const onData = (chunk: Buffer) => {
    try {
      const first = decoder.first(chunk)
      if (!first) return
      finish()
      resolve(first)
    } catch (error) {
      finish()
      socket.destroy()
      reject(internal(`the supervisor does not speak the protocol: ${messageOf(error)}`, error))
    }
  }
  socket.on('data', onData)
  socket.once('close', onClose)
  return promise
}
