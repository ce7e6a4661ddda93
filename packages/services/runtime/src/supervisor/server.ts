import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { messageOf } from '@berth/base'
import { decodeHello, decodeRequest } from '../protocol/decode.ts'
import { encodeLine, LineDecoder, ProtocolError } from '../protocol/lines.ts'
import {
  type Announcement,
  type Hello,
  type NumberedRequest,
  protocolVersion,
  type Request,
  type Welcome,
} from '../protocol/messages.ts'
import { Client } from '../stdio/client.ts'
import { warn } from './log.ts'
import { failureOf, type Supervisor } from './supervisor.ts'

export interface ServerOptions {
  readonly path: string
  readonly build: string
  /** Called after the reply to a `replace` or `shutdown` that may be done was written. */
  readonly onLeave: (request: Extract<Request, { op: 'replace' | 'shutdown' }>) => void
}

/** The supervisor's socket: one control connection, the newest, and attach connections. */
export class ControlServer {
  readonly #options: ServerOptions
  #control: Socket | undefined

  constructor(options: ServerOptions) {
    this.#options = options
  }

  /** Serves; a socket file that a dead supervisor left is replaced. */
  async listen(supervisor: Supervisor): Promise<void> {
    const { path } = this.#options
    rmSync(path, { force: true })
    const server: Server = createServer((socket) => this.#greet(socket, supervisor))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    server.once('error', reject)
    // Every attached client is a connection; the kernel's own limit holds where it is lower.
    server.listen({ path, backlog: 4096 }, resolve)
    await promise
    chmodSync(path, 0o600)
  }

  /** Tells berthd, if one is connected; exits it did not hear of are in `list`. */
  announce(announcement: Announcement): void {
    this.#control?.write(encodeLine(announcement))
  }

  #greet(socket: Socket, supervisor: Supervisor): void {
    const decoder = new LineDecoder()
    socket.on('error', () => socket.destroy())
    const onData = (chunk: Buffer) =>
      guard(socket, () => {
        const first = decoder.first(chunk)
        if (!first) return
        socket.off('data', onData)
        this.#welcome(socket, supervisor, decodeHello(first.message), first.rest)
      })
    socket.on('data', onData)
  }

  #welcome(socket: Socket, supervisor: Supervisor, hello: Hello, rest: Buffer): void {
    if (hello.role === 'control') return this.#serveControl(socket, supervisor, rest)
    const client = new Client(socket, hello.options)
    // The answer may wake who waits for it: not before what it asked for was begun.
    socket.cork()
    socket.write(encodeLine({}))
    supervisor.attach(hello.target, client)
    client.listen(rest)
    if (hello.request) this.#serve(this.#control, supervisor, hello.request)
    socket.uncork()
  }

  #serveControl(socket: Socket, supervisor: Supervisor, rest: Buffer): void {
    this.#control?.destroy()
    this.#control = socket
    const { build } = this.#options
    const can = { servesWithAttach: true, takesNotices: true }
    const welcome: Welcome = { protocol: protocolVersion, pid: process.pid, build, ...can }
    socket.write(encodeLine(welcome))
    const decoder = new LineDecoder()
    const onData = (chunk: Buffer) =>
      guard(socket, () => {
        for (const message of decoder.push(chunk)) this.#serve(socket, supervisor, decodeRequest(message))
      })
    socket.on('data', onData)
    socket.once('close', () => {
      if (this.#control === socket) this.#control = undefined
    })
    if (rest.length > 0) onData(rest)
  }

  /** Replies by `socket`, unless it is lost: then `list` tells. Nobody waits for the reply to what has no id. */
  #serve(socket: Socket | undefined, supervisor: Supervisor, { id, request }: NumberedRequest): void {
    const reply = (answer: object, after?: () => void) => {
      if (id !== undefined && socket?.destroyed === false) socket.write(encodeLine({ id, ...answer }), after)
    }
    supervisor.handle(request).then(
      (value) => reply({ value: value ?? null }, () => this.#leave(request)),
      (error: unknown) => {
        if (id === undefined) warn({ op: request.op, error: messageOf(error) }, 'what nobody waits for was not done')
        reply({ failure: failureOf(error) })
      },
    )
  }

  #leave(request: Request): void {
    if (request.op === 'replace' || request.op === 'shutdown') this.#options.onLeave(request)
  }
}

/** A peer that does not speak the protocol loses its connection, nothing else. */
function guard(socket: Socket, work: () => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
    warn({ error: messageOf(error) }, 'a connection is closed: it does not speak the protocol')
    socket.destroy()
  }
}
