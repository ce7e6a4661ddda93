import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { createServer, type Server, type Socket } from 'node:net'
import { frame, readFrame } from './tcp-frames.ts'

export type Transport = 'udp' | 'tcp'

export interface ResolverOptions {
  /** Bound sockets; this object's from now on. */
  readonly udpFd: number
  readonly tcpFd: number
  /** The answer to a message; undefined: none is due. */
  readonly respond: (message: Buffer, transport: Transport) => Promise<Buffer | undefined> | Buffer | undefined
  readonly report: (error: unknown) => void
}

const maxConnections = 128
const idleMs = 10_000
/** A frame that is not complete; a longer one there is not. */
const maxPendingBytes = 2 + 65_535

/** Serves one container's questions on the two sockets in its namespace. */
export class Resolver implements Disposable {
  readonly #options: ResolverOptions
  readonly #udp: UdpSocket
  readonly #tcp: Server
  readonly #connections = new Set<Socket>()
  #isClosed = false

  constructor(options: ResolverOptions) {
    this.#options = options
    this.#udp = createSocket('udp4')
    this.#udp.on('error', options.report)
    this.#udp.on('message', (message, { address, port }) => {
      void this.#respond(message, 'udp').then((answer) => {
        // A client that is gone misses nothing.
        if (answer && !this.#isClosed) this.#udp.send(answer, port, address, () => {})
      })
    })
    this.#udp.bind({ fd: options.udpFd })
    this.#tcp = createServer((socket) => this.#serve(socket))
    this.#tcp.maxConnections = maxConnections
    this.#tcp.on('error', options.report)
    this.#tcp.listen({ fd: options.tcpFd })
  }

  async #respond(message: Buffer, transport: Transport): Promise<Buffer | undefined> {
    try {
      return await this.#options.respond(message, transport)
    } catch (error) {
      this.#options.report(error)
      return undefined
    }
  }

  #serve(socket: Socket): void {
    this.#connections.add(socket)
    socket.once('close', () => this.#connections.delete(socket))
    socket.on('error', () => socket.destroy())
    socket.setTimeout(idleMs, () => socket.destroy())
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      socket.pause()
      void this.#answerAll(socket, pending).then((rest) => {
        pending = Buffer.from(rest)
        if (pending.length > maxPendingBytes) socket.destroy()
        else socket.resume()
      })
    })
  }

  /** One after the other: who sends many waits for the answers. */
  async #answerAll(socket: Socket, received: Buffer): Promise<Buffer> {
    let rest = received
    for (let next = readFrame(rest); next && !socket.destroyed; next = readFrame(rest)) {
      const answer = await this.#respond(next.message, 'tcp')
      if (answer && !socket.destroyed) socket.write(frame(answer))
      rest = next.rest
    }
    return rest
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#udp.close()
    this.#tcp.close()
    for (const socket of this.#connections) socket.destroy()
  }
}
